"""``clntool cve``: the servers on which a CVE is fixed, and those on which it is not."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cli.common_options import Commands
from cln_monitor.cli.concurrent import show_with_errors
from cln_monitor.cli.context import session_of
from cln_monitor.cli.output_fields import lists

from .eportal import COLUMNS, FIELDS

app = Commands()

_ORDER = ("not_fixed", "unknown", "fixed")


@app.command("cve")
@lists(*FIELDS, columns=("cve_state", *COLUMNS))
def show_cve(
    context: typer.Context, cve: Annotated[str, typer.Argument(metavar="ID", help="CVE id, such as CVE-2026-12345.")]
) -> None:
    """Show on which servers of the ePortals a CVE is fixed by the loaded live patch; those without the fix come first.

    A server without the fix is not necessarily vulnerable: the kernel that it booted may have the fix, or never had the
    flaw. Servers of a feed that delays patches lag on purpose.
    """
    from cln_monitor.cli.eportal_servers import (  # noqa: PLC0415 # Tab needs none
        check_cve,
        choose_eportals,
        read_eportals,
        report_coverage,
    )

    session = session_of(context)
    cve = check_cve("ID", cve)
    found = read_eportals(session, choose_eportals(session), cve)
    servers = sorted(found.servers, key=lambda server: _ORDER.index(server.cve_state or "unknown"))
    report_coverage(cve, servers)
    show_with_errors(session, [server.row for server in servers], found.errors, "no servers found")
