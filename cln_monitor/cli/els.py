"""``clntool els``: keys and servers of Extended Lifecycle Support."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cln import ELS_CODES
from cln_monitor.probes import ElsSettings

from .change import DryRun, Yes, change
from .concurrent import show_gathered
from .context import IdArgument, KeyArgument, Limit, NewLimit, NewNote, Note, family, session_of
from .output import row_of
from .output_fields import lists, shows
from .session import Session, UsageError

app = family("Extended Lifecycle Support: keys and servers.")
keys = family("ELS keys.")
servers = family("ELS servers.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")

_KEY = ("key", "code", "limit", "note")
_SERVER = ("server_id", "key", "ip", "hostname")
_OneCode = Annotated[
    str | None,
    typer.Option("--code", metavar="CODE", help="Of this product alone; without it, a call for each product."),
]


def _codes(session: Session) -> list[str]:
    """Return the codes of the products that the configuration asks about."""
    settings = session.choice.account_of(session.config).probes["els"]
    return settings.products if isinstance(settings, ElsSettings) else list(ELS_CODES)


@keys.command("list")
@lists(*_KEY)
def list_keys(context: typer.Context, *, code: _OneCode = None) -> None:
    """List the keys of a product, or of all."""
    session = session_of(context)
    client = session.client.els
    codes = _codes(session) if code is None else [code]
    show_gathered(session, codes, lambda of: map(row_of, client.keys(of)), "there are no such ELS keys")


@keys.command("create")
@shows(*_KEY)
def create_key(
    context: typer.Context,
    *,
    code: Annotated[str, typer.Option(metavar="CODE", help="Its product, such as CELS.")],
    limit: Limit,
    note: Note = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create a key, and show it."""
    session = session_of(context)
    known = dict.fromkeys([*ELS_CODES, *_codes(session)])
    if code not in known:
        named = ", ".join(known)
        raise UsageError(f"--code: expected one of {named}; a newer one has to be in probes.els.products first")
    key = change(
        session,
        f"create an ELS key of {code}",
        lambda client: client.els.create_key(code, limit, note),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.record(row_of(key))


@keys.command("update")
@shows(*_KEY)
def update_key(
    context: typer.Context,
    key: KeyArgument,
    *,
    limit: NewLimit = None,
    note: NewNote = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the limit of a key, its note, or both."""
    session = session_of(context)
    updated = change(
        session,
        f"update the ELS key {key}",
        lambda client: client.els.update_key(key, limit, note),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.record(row_of(updated))


@keys.command("remove")
@lists(*_SERVER)
def remove_key(context: typer.Context, key: KeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a key with all its servers, and show those."""
    session = session_of(context)
    removed = change(
        session,
        f"remove the ELS key {key} with all its servers",
        lambda client: client.els.remove_key(key),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.rows(map(row_of, removed), "CLN names no servers of it")


@servers.command("list")
@lists(*_SERVER)
def list_servers(context: typer.Context, *, code: _OneCode = None) -> None:
    """List the servers of a product, or of all."""
    session = session_of(context)
    client = session.client.els
    codes = _codes(session) if code is None else [code]
    show_gathered(session, codes, lambda of: map(row_of, client.servers(of)), "there are no such ELS servers")


@servers.command("remove")
@shows("done", *_SERVER)
def remove_server(context: typer.Context, id_: IdArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a server from its key."""
    session = session_of(context)
    removed = change(
        session,
        f"remove the ELS server {id_}",
        lambda client: client.els.remove_server(id_),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.done(**row_of(removed))
