"""The display names of products and states on the dashboards.

Tables use them in value mappings, legends in overrides.
"""

from __future__ import annotations

from cln_monitor.probes import PRODUCT_NAMES

FAMILIES = {
    "kernelcare": "KernelCare",
    "imunify": "Imunify",
    "els": "ELS",
    "cloudlinux": "CloudLinux OS",
    "ip_license": "IP licenses",
}
"""The products, by their part of the metric names."""
PROBES = FAMILIES | {
    "ip_licenses": "IP licenses",
    "patch_status": "Patch status",
    "groups": "Groups",
    "awp": "AccelerateWP",
    "eportal": "ePortal",
    "status": "CLN status",
}
PRODUCT_CODES = {code: name for names in PRODUCT_NAMES.values() for code, name in names.items()}
"""The products of keys and bills, by their code in CLN. Other codes are shown as they are."""
PATCH_STATES = {
    "uptodate": "up to date",
    "outofdate": "out of date",
    "unsupported": "unsupported",
    "inactive": "inactive",
}
CHECKINS = {"fresh": "fresh", "stale": "silent", "never": "never checked in", "unknown": "unknown"}
