"""``clntool awp``: what AccelerateWP is billed for."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cln import AWP_PRODUCTS

from .context import family, session_of
from .output import row_of

app = family("AccelerateWP.")


@app.callback()
def _keep_the_level() -> None:
    """Keep ``usage`` a command of its own: typer would take the only command for the family."""


@app.command("usage")
def show_usage(
    context: typer.Context,
    *,
    month: Annotated[str, typer.Option(metavar="MONTH", help="Such as 2023-12.")],
    product: Annotated[
        list[str] | None, typer.Option(metavar="P", help="Of this product alone; can be given again.")
    ] = None,
) -> None:
    """List what is billed for a month."""
    session = session_of(context)
    rows = map(row_of, session.client.awp.usage(month, product or AWP_PRODUCTS))
    columns = ("product", "primary_domain", "username", "cdn_limit_type")
    session.output.rows(rows, columns, f"nothing is billed for {month}")
