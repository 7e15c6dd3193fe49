"""``clntool status``: the status flags of CLN's services."""

from __future__ import annotations

import typer

from cln_monitor.cli.common_options import Commands
from cln_monitor.cli.context import session_of
from cln_monitor.cli.output_fields import lists

app = Commands()


@app.command("status")
@lists("flag", "value", "good")
def show_status(context: typer.Context) -> None:
    """Show the status flags of CLN's services, and whether they are good."""
    session = session_of(context)
    status = session.anonymous.status.flags()
    rows = [{"flag": name, "value": value, "good": status.is_good(name)} for name, value in status.flags.items()]
    session.output.rows(rows, "CLN reports no flags")
