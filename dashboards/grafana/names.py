"""What products and states are called on the dashboards: one table each.

Tables show them by value mappings, and legends by overrides.
"""

from __future__ import annotations

from cln_monitor.probes import PRODUCT_NAMES

FAMILIES = {"kernelcare": "KernelCare", "imunify": "Imunify", "els": "ELS", "ip_license": "IP licenses"}
"""The products by the word that the names of their metrics have."""
PROBES = FAMILIES | {
    "ip_licenses": "IP licenses",
    "patch_status": "Patch status",
    "groups": "Groups",
    "awp": "AccelerateWP",
    "status": "CLN status",
}
PRODUCT_CODES = {code: name for names in PRODUCT_NAMES.values() for code, name in names.items()}
"""The products of keys and bills by the codes that CLN has for them. A code that is not here is shown as it is."""
PATCH_STATES = {
    "uptodate": "up to date",
    "outofdate": "out of date",
    "unsupported": "unsupported",
    "inactive": "inactive",
}
CHECKINS = {"fresh": "fresh", "stale": "silent", "never": "never checked in", "unknown": "unknown"}
