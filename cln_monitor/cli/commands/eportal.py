"""``clntool eportal``: the servers of TuxCare ePortals."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cli.concurrent import show_with_errors
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.eportal_servers import COLUMNS, FIELDS, check_cve, choose_eportals, read_eportals
from cln_monitor.cli.output_fields import lists

app = family("Servers of TuxCare ePortals, and their live patches.")
servers = family("Servers of TuxCare ePortals.")
app.add_typer(servers, name="servers")


@servers.command("list")
@lists(*FIELDS, columns=(*COLUMNS, "last_checkin"))
def list_servers(
    context: typer.Context,
    *,
    behind: Annotated[
        bool, typer.Option("--behind", help="Only servers with a patch below the newest one of the default channel.")
    ] = False,
    cve: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Only servers whose loaded live patch does not fix this CVE, or may not."),
    ] = None,
    silent: Annotated[
        bool, typer.Option("--silent", help="Only servers silent for longer than stale_after of the configuration.")
    ] = False,
) -> None:
    """List the servers of the ePortals in the configuration, or of one, with the live patch that each has loaded.

    A server is shown if at least one condition applies. One whose patch level or kernel is unknown is not behind.
    """
    session = session_of(context)
    cve = None if cve is None else check_cve("--cve", cve)
    found = read_eportals(session, choose_eportals(session), cve)
    has_conditions = behind or silent or cve is not None
    rows = [
        server.row
        for server in found.servers
        if not has_conditions
        or (behind and server.is_behind)
        or (silent and server.is_silent)
        or (cve is not None and server.cve_state != "fixed")
    ]
    show_with_errors(session, rows, found.errors, "no servers match" if has_conditions else "no servers found")
