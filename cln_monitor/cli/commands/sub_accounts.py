"""``clntool sub-accounts``: the servers of sub-accounts."""

from __future__ import annotations

import typer

from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists

app = family("Servers of sub-accounts.")


@app.command("list")
@lists("login", "server_id", "key", "version", "ip")
def list_servers(context: typer.Context) -> None:
    """List the servers of the sub-accounts.

    E-mail addresses are not shown: a login that is one is shown as its mask.
    """
    session = session_of(context)
    rows = map(row_of, session.client.cloudlinux.sub_account_servers())
    session.output.rows(rows, "no servers of sub-accounts found")
