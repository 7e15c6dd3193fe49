"""``clntool keys``: the keys of all products and their usage."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cln_monitor.cli.concurrent import ConcurrentReader, show_with_errors
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.fleet.inventory import IMUNIFY, KEY_PRODUCTS, Inventory
from cln_monitor.cli.output_fields import lists
from cln_monitor.cli.usage import UsageError
from cln_monitor.cln import mask_key

from .servers import product

app = family("Keys of all products and their usage.")

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s*%?", re.ASCII)


def percent(text: str | float) -> float:
    """Return the number in a percentage such as ``90%``. Raises typer.BadParameter, which is a usage error."""
    if (match := _PERCENT.fullmatch(str(text).strip())) is None:
        raise typer.BadParameter(f"{text!r} is not a percentage such as 90%")
    return float(match[1])


def _products(incomplete: str) -> list[str]:
    return [name for name in KEY_PRODUCTS if name.startswith(incomplete)]


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
            help=f"Only this product: {', '.join(KEY_PRODUCTS)}; can be repeated.",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Only keys that have reached their limit.")] = False,
    usage: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", parser=percent, help="Only keys with at least this usage, such as 90%."),
    ] = None,
) -> None:
    """List the keys of all products, with their number of servers and limit."""
    session = session_of(context)
    products = set(product_ or KEY_PRODUCTS)
    if products - set(KEY_PRODUCTS):
        raise UsageError("--product: IP licenses have no keys; see clntool ip-licenses list --help")
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader, () if product_ else products)
        inventory.read_keys(products)
        # The list of Imunify keys has their number of servers, but CLN may omit it.
        counted = products - {IMUNIFY}
        if any(key.product == IMUNIFY and key.used is None for key in inventory.keys):
            counted.add(IMUNIFY)
        inventory.read_servers(counted)
    minimum = max(100.0 if full else 0.0, usage or 0.0) if full or usage is not None else None
    rows = [
        {
            "product": key.product,
            "account": session.account.name,
            "key": key.key,
            "mask": mask_key(key.key),
            "note": key.note,
            "enabled": key.enabled,
            "used": key.used,
            "limit": key.limit,
            "percent": key.percent,
        }
        for key in inventory.keys
        if minimum is None or (key.percent is not None and 100 * (key.used or 0) >= minimum * _limit(key.limit))
    ]
    inventory.report_unavailable()
    is_all = not (product_ or inventory.unavailable or inventory.keys)
    show_with_errors(session, rows, inventory.errors, "the account has no keys" if is_all else "no keys match")


def _limit(limit: object) -> int:
    return limit if isinstance(limit, int) else 0
