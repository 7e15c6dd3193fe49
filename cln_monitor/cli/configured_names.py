"""The names in the configuration, which completion offers. CLN is never queried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from cln_monitor.source_kinds import ACCOUNT, SOURCE_KINDS, SourceKind


def account_names(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of the accounts and ePortals in the configuration of ``--config``, or the default one."""
    document = _document(ctx)
    names = [entry.get("name") for kind in SOURCE_KINDS for entry in _sources(document, kind)]
    return [name for name in dict.fromkeys(names) if isinstance(name, str) and name.startswith(incomplete)]


def els_products(ctx: typer.Context) -> list[object]:
    """Return the ELS products that the configuration lists, as written."""
    document = _document(ctx)
    return [product for section in (document, *_sources(document, ACCOUNT)) for product in _products(section)]


def _document(ctx: typer.Context) -> Mapping[str, Any]:
    """Return the configuration as written, or an empty one if it cannot be read: completion reports no errors."""
    from cln_monitor.config import DEFAULT_CONFIG, read_yaml  # noqa: PLC0415 # slow, and rarely completed

    chosen = None
    at: Any = ctx
    while at is not None and not chosen:
        chosen, at = at.params.get("config"), at.parent
    try:
        document = read_yaml(Path(chosen or DEFAULT_CONFIG))
    except Exception:  # noqa: BLE001 # a shell has no place to show an error of the file
        return {}
    return document if isinstance(document, dict) else {}


def _sources(document: Mapping[str, Any], kind: SourceKind) -> list[Mapping[str, Any]]:
    sources = document.get(kind.field)
    return [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []


def _products(section: Mapping[str, Any]) -> list[Any]:
    probes = section.get("probes")
    els = probes.get("els") if isinstance(probes, dict) else None
    products = els.get("products") if isinstance(els, dict) else None
    return products if isinstance(products, list) else []
