"""``clntool keys``: the keys of all products, and how full they are."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cln_monitor.cli.concurrent import Gathering, show_with_errors
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.fleet.inventory import ELS, IMUNIFY, KERNELCARE, OF_KEYS, Inventory
from cln_monitor.cli.output_fields import lists
from cln_monitor.cli.session import UsageError
from cln_monitor.cln import mask_key

from .servers import product

app = family("Keys of all products: how full they are.")

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*%?", re.ASCII)


def percent(text: str | float) -> float:
    """Return the number of a share such as ``90%``. Raises what typer makes a usage error of."""
    if (found := _PERCENT.fullmatch(str(text).strip())) is None:
        raise typer.BadParameter("it takes a share of the limit, such as 90%")
    return float(found[1])


def _products(incomplete: str) -> list[str]:
    return [name for name in OF_KEYS if name.startswith(incomplete)]


@app.command("list")
@lists(
    *("product", "account", "key", "mask", "note", "enabled", "used", "limit", "percent"),
    columns=("product", "key", "mask", "note", "enabled", "used", "limit", "percent"),
)
def list_keys(
    context: typer.Context,
    *,
    product_: Annotated[
        list[str] | None,
        typer.Option(
            "--product",
            metavar="P",
            parser=product,
            autocompletion=_products,
            help=f"Only this product, of {', '.join(OF_KEYS)}; can be given again.",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Only keys whose limit is reached.")] = False,
    usage: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", parser=percent, help="Only keys that are at least that full, such as 90%."),
    ] = None,
) -> None:
    """List the keys of all products, with the number of their servers and their limit."""
    session = session_of(context)
    products = set(product_ or OF_KEYS)
    if products - set(OF_KEYS):
        raise UsageError("--product: IP licenses have no keys; see clntool ip-licenses list --help")
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering, () if product_ else products)
        inventory.read_keys(products)
        # The list of Imunify keys has the number of their servers, unless CLN tells none.
        counted = {KERNELCARE, ELS} & products
        if any(each.product == IMUNIFY and each.used is None for each in inventory.keys):
            counted.add(IMUNIFY)
        inventory.read_servers(counted)
    least = max(100.0 if full else 0.0, usage or 0.0) if full or usage is not None else None
    rows = [
        {
            "product": each.product,
            "account": session.account.name,
            "key": each.key,
            "mask": mask_key(each.key),
            "note": each.note,
            "enabled": each.enabled,
            "used": each.used,
            "limit": each.limit,
            "percent": each.percent,
        }
        for each in inventory.keys
        if least is None or (each.percent is not None and 100 * (each.used or 0) >= least * _limit(each.limit))
    ]
    inventory.tell_unavailable()
    is_all = not (product_ or inventory.unavailable or inventory.keys)
    show_with_errors(session, rows, inventory.errors, "the account has no keys" if is_all else "no keys match")


def _limit(limit: object) -> int:
    return limit if isinstance(limit, int) else 0
