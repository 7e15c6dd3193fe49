"""``clntool eportal``: the servers of TuxCare ePortals."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cli.concurrent import show_with_errors
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.output import eprint
from cln_monitor.cli.output_fields import lists

FIELDS = (
    "account",
    "id",
    "hostname",
    "ip",
    "key",
    "mask",
    "feed",
    "cve",
    "cve_state",
    "cve_unknown_because",
    "effective_kernel",
    "running_kernel",
    "kernel_id",
    "patch_level",
    "newest_level",
    "behind",
    "updated",
    "patch_built",
    "patch_age_seconds",
    "patched",
    "last_checkin",
    "silent",
    "distro",
    "tags",
)
"""The fields of a server in JSON and CSV."""

COLUMNS = ("account", "hostname", "ip", "feed", "effective_kernel", "patch_level", "newest_level", "patch_age")
"""The columns of a table, without those about a CVE and a check-in."""

app = family("Servers of TuxCare ePortals, and their live patches.")
servers = family("Servers of TuxCare ePortals.")
app.add_typer(servers, name="servers")


@servers.command("list")
@lists(*FIELDS, columns=(*COLUMNS, "last_checkin"))
def list_servers(
    context: typer.Context,
    *,
    behind: Annotated[
        bool, typer.Option("--behind", help="Only servers that have not loaded the newest live patch of their feed.")
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

    A server is shown if at least one condition applies. The ePortal decides which servers are behind. One of which it
    says nothing is compared with the newest level of the default channel; if that is unknown, it is counted on stderr.
    """
    from cln_monitor.cli.eportal_servers import (  # noqa: PLC0415 # Tab needs none
        check_cve,
        choose_eportals,
        read_eportals,
        report_coverage,
    )

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
    if cve is not None:
        report_coverage(cve, found.servers)
    if behind and (unknown := sum(server.is_behind is None for server in found.servers)):
        total = f"{len(found.servers)} server{'s' * (len(found.servers) != 1)}"
        eprint(f"note: whether {unknown} of {total} {'is' if unknown == 1 else 'are'} behind is unknown")
    show_with_errors(session, rows, found.errors, "no servers match" if has_conditions else "no servers found")
