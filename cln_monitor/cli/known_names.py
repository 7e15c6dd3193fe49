"""The values that completion offers, from the configuration and the API document. CLN is never queried."""

from __future__ import annotations

from collections.abc import Iterable

import typer

from cln_monitor.cln import AWP_PRODUCTS, CLOUDLINUX_PRODUCTS, ELS_CODES, IMUNIFY_CODES, LICENSE_NAMES

from .configured_names import els_products


def els_codes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the codes of ELS products of the configuration and of the API document."""
    return _beginning(incomplete, [*els_products(ctx), *ELS_CODES])


def imunify_codes(incomplete: str) -> list[tuple[str, str]]:
    """Return the codes of Imunify products with their names."""
    return [(code, name) for code, name in IMUNIFY_CODES.items() if code.startswith(incomplete)]


def cloudlinux_products(incomplete: str) -> list[tuple[str, str]]:
    """Return the products of CloudLinux OS keys with their names."""
    return [(code, name) for code, name in CLOUDLINUX_PRODUCTS.items() if code.startswith(incomplete)]


def awp_products(incomplete: str) -> list[str]:
    """Return the codes of AccelerateWP products."""
    return _beginning(incomplete, AWP_PRODUCTS)


def license_types(incomplete: str) -> list[tuple[str, str]]:
    """Return the numbers and names of the types of IP licenses, each with the other as its help."""
    named = [*((str(number), name) for number, name in LICENSE_NAMES.items())]
    return [(text, help_) for pair in named for text, help_ in (pair, pair[::-1]) if text.startswith(incomplete)]


def _beginning(incomplete: str, names: Iterable[object]) -> list[str]:
    texts = [name for name in names if isinstance(name, str)]
    return [name for name in dict.fromkeys(texts) if name.startswith(incomplete)]
