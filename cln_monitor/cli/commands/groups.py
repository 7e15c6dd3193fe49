"""``clntool groups``: groups of servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.exit_codes import ExitCode
from cln_monitor.cli.fleet.stakes import stakes_of_members
from cln_monitor.cli.output import eprint, row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cln import Client, ClnError, GroupServer, NotDoneError

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

app = family("Groups of KernelCare and Imunify servers.")
servers = family("The servers of a group.")
app.add_typer(servers, name="servers")

_SERVER = ("server_id", "hostname", "ip", "type")
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Group name.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Server ids.")]


@app.command("list")
@lists("name", "description")
def list_groups(context: typer.Context) -> None:
    """List the groups of the account."""
    session = session_of(context)
    session.output.rows(map(row_of, session.client.groups.groups()), "the account has no groups")


@app.command("create")
@shows("name", "description")
def create(
    context: typer.Context,
    name: _Name,
    *,
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="Description of the group.")] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create a group and show it."""
    session = session_of(context)
    group = change(
        session,
        Action("create", f"group {name}"),
        lambda client: client.groups.create(name, description),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.record(row_of(group))


@servers.command("list")
@lists(*_SERVER)
def list_servers(context: typer.Context, name: _Name) -> None:
    """List the servers of a group."""
    session = session_of(context)
    rows = map(row_of, session.client.groups.servers(name))
    session.output.rows(rows, f"the group {name} has no servers")


@servers.command("add")
@lists(*_SERVER)
def add_servers(context: typer.Context, name: _Name, ids: _Ids, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Add servers to a group, and show those that CLN added."""
    session = session_of(context)
    added = change(
        session,
        Action("add", f"{', '.join(ids)} to group {name}"),
        lambda client: _added(client, name, ids),
        yes=yes,
        dry_run=dry_run,
        all_done=lambda changed: not _unchanged(ids, changed),
    )
    # CLN neither adds nor lists servers that are in the group already.
    members = {server.server_id for server in session.client.groups.servers(name)} if _unchanged(ids, added) else set()
    if present := [id_ for id_ in _unchanged(ids, added) if id_ in members]:
        eprint(f"already in the group: {', '.join(present)}")
    absent = [id_ for id_ in ids if id_ not in present]
    if added or not present:
        _show_changed(session, absent, added)
    elif absent:
        _fail(absent)


def _added(client: Client, name: str, ids: Sequence[str]) -> list[GroupServer]:
    try:
        return client.groups.add_servers(name, ids)
    except NotDoneError as error:
        try:
            members = {server.server_id for server in client.groups.servers(name)}
        except ClnError:
            raise error from None
        if not members & set(ids):
            raise
        return []


@servers.command("remove")
@lists(*_SERVER)
def remove_servers(
    context: typer.Context, name: _Name, ids: _Ids, *, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Remove servers from a group, and show those that CLN removed."""
    session = session_of(context)
    removed = change(
        session,
        Action("remove", f"{', '.join(ids)} from group {name}"),
        lambda client: client.groups.remove_servers(name, ids),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_members(session, name, ids),
        all_done=lambda changed: not _unchanged(ids, changed),
    )
    _show_changed(session, ids, removed)


def _show_changed(session: Session, ids: Sequence[str], changed: Sequence[GroupServer]) -> None:
    """Show the servers that CLN changed. Exit as not done if it did not change all of ``ids``."""
    session.output.rows(map(row_of, changed), "CLN listed no servers")
    if unchanged := _unchanged(ids, changed):
        _fail(unchanged)


def _fail(unchanged: Sequence[str]) -> NoReturn:
    eprint(f"clntool: CLN made no change for {', '.join(unchanged)}")
    raise typer.Exit(ExitCode.REFUSED)


def _unchanged(ids: Sequence[str], changed: Sequence[GroupServer]) -> list[str]:
    """Return the ``ids`` that are not among the ``changed`` servers."""
    done = {server.server_id for server in changed}
    return [id_ for id_ in ids if id_ not in done]
