"""Names of products by CLN's codes."""

from __future__ import annotations

from cln_monitor.cln import CLOUDLINUX_PRODUCTS, ELS_CODES, IMUNIFY_CODES

_ELS_NAMES = ELS_CODES | {
    "PYTHON_ELS": "Python ELS",
    "UELS18_SLA": "Ubuntu 18 ELS with SLA",  # the API document says 16 here by mistake
}
PRODUCT_NAMES: dict[str, dict[str, str]] = {
    "imunify": IMUNIFY_CODES,
    "els": _ELS_NAMES,
    "cloudlinux": CLOUDLINUX_PRODUCTS,
    "awp": {"AWP_PREMIUM": "AccelerateWP Premium", "AWP_CDN": "AccelerateWP CDN"},
}
"""Product names by probe and code, as far as CLN documents them."""


def product_name(probe: str, code: str) -> str:
    """Return the name of the product with this ``code`` in ``probe``; an unknown code is returned unchanged."""
    return PRODUCT_NAMES.get(probe, {}).get(code, code)
