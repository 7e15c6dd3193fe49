"""``clntool groups``: groups of servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.context import family, session_of
from cln_monitor.cli.exit_codes import Code
from cln_monitor.cli.fleet.stakes import stakes_of_members
from cln_monitor.cli.output import row_of, say
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cli.session import Session
from cln_monitor.cln import Client, ClnError, GroupServer, NotDoneError

app = family("Groups of KernelCare and Imunify servers.")
servers = family("The servers of a group.")
app.add_typer(servers, name="servers")

_SERVER = ("server_id", "hostname", "ip", "type")
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a group.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids of servers.")]


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
    description: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for.")] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create a group, and show it."""
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
        all_done=lambda changed: not _left(ids, changed),
    )
    # Those that are in it already CLN does not add, and does not name.
    had = {server.server_id for server in session.client.groups.servers(name)} if _left(ids, added) else set()
    if there := [id_ for id_ in _left(ids, added) if id_ in had]:
        say(f"already there: {', '.join(there)}")
    if added or not there:
        _show_changed(session, [id_ for id_ in ids if id_ not in there], added)
    elif left := [id_ for id_ in ids if id_ not in there]:
        _refused(left)


def _added(client: Client, name: str, ids: Sequence[str]) -> list[GroupServer]:
    try:
        return client.groups.add_servers(name, ids)
    except NotDoneError as error:
        try:
            had = {server.server_id for server in client.groups.servers(name)}
        except ClnError:
            raise error from None
        if not had & set(ids):
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
        all_done=lambda changed: not _left(ids, changed),
    )
    _show_changed(session, ids, removed)


def _show_changed(session: Session, ids: Sequence[str], changed: Sequence[GroupServer]) -> None:
    """Show what CLN did; where that is not all that was asked, the program ends as not done."""
    session.output.rows(map(row_of, changed), "CLN names no servers")
    if left := _left(ids, changed):
        _refused(left)


def _refused(left: Sequence[str]) -> NoReturn:
    say(f"clntool: CLN did not do it for {', '.join(left)}")
    raise typer.Exit(Code.REFUSED)


def _left(ids: Sequence[str], changed: Sequence[GroupServer]) -> list[str]:
    """Return those of ``ids`` for which CLN did nothing."""
    done = {server.server_id for server in changed}
    return [id_ for id_ in ids if id_ not in done]
