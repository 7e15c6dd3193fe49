"""The values that completion offers, from the configuration and the API document. CLN is never queried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from cln_monitor.cln import AWP_PRODUCTS, ELS_CODES, IMUNIFY_CODES, LICENSE_NAMES
from cln_monitor.config import DEFAULT_CONFIG, read_yaml


def account_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the accounts in the configuration of ``--config``, or the default one."""
    return _beginning(incomplete, (account.get("name") for account in _accounts(_document(ctx))))


def els_codes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the codes of ELS products of the configuration and of the API document."""
    document = _document(ctx)
    listed = [product for section in (document, *_accounts(document)) for product in _products(section)]
    return _beginning(incomplete, [*listed, *ELS_CODES])


def imunify_codes(incomplete: str) -> list[tuple[str, str]]:
    """Return the codes of Imunify products with their names."""
    return [(code, name) for code, name in IMUNIFY_CODES.items() if code.startswith(incomplete)]


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


def _document(ctx: typer.Context) -> Mapping[str, Any]:
    """Return the configuration as written, or an empty one if it cannot be read: completion reports no errors."""
    chosen = None
    at: Any = ctx
    while at is not None and not chosen:
        chosen, at = at.params.get("config"), at.parent
    try:
        document = read_yaml(Path(chosen or DEFAULT_CONFIG))
    except Exception:  # noqa: BLE001 # a shell has no place to show an error of the file
        return {}
    return document if isinstance(document, dict) else {}


def _accounts(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    accounts = document.get("accounts")
    return [account for account in accounts if isinstance(account, dict)] if isinstance(accounts, list) else []


def _products(section: Mapping[str, Any]) -> list[Any]:
    probes = section.get("probes")
    els = probes.get("els") if isinstance(probes, dict) else None
    products = els.get("products") if isinstance(els, dict) else None
    return products if isinstance(products, list) else []
