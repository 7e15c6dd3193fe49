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
_FAMILIES = {"imunify": "Imunify", "els": "ELS", "cloudlinux": "CloudLinux OS"}


def product_name(probe: str, code: str) -> str:
    """Return the name of the product with this ``code`` in ``probe``; an unknown code is returned unchanged."""
    return PRODUCT_NAMES.get(probe, {}).get(code, code)


def named_code(probe: str, code: str) -> str:
    """Return a product's ``code`` after the name of its family, such as "ELS CELS"; "ELS_FOR_CENTOS7" has it already.

    The code is unchanged, as configurations have it.
    """
    family = _FAMILIES.get(probe, "")
    return code if code.startswith(family) else f"{family} {code}".strip()


def product_title(probe: str, code: str) -> str:
    """Return the name of the product with this ``code``, for an unknown one as :func:`named_code` does."""
    name = product_name(probe, code)
    return named_code(probe, code) if name == code else name
