"""``clntool awp``: billing of AccelerateWP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.known_names import awp_products
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists
from cln_monitor.cln import AWP_PRODUCTS

app = family("AccelerateWP usage.")


@app.command("usage")
@lists("product", "primary_domain", "username", "cdn_limit_type")
def show_usage(
    context: typer.Context,
    *,
    month: Annotated[
        str | None, typer.Option(metavar="MONTH", help="Month, such as 2023-12 (default: the current month, UTC).")
    ] = None,
    product: Annotated[
        list[str] | None,
        typer.Option(metavar="P", autocompletion=awp_products, help="Only this product; can be repeated."),
    ] = None,
) -> None:
    """List the billed websites of a month."""
    session = session_of(context)
    month = datetime.now(UTC).strftime("%Y-%m") if month is None else month
    rows = map(row_of, session.client.awp.usage(month, product or AWP_PRODUCTS))
    session.output.rows(rows, f"nothing is billed for {month}")
