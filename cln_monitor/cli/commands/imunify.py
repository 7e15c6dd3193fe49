"""``clntool imunify``: Imunify keys and servers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.concurrent import show_all
from cln_monitor.cli.context import IdArgument, KeyArgument, Limit, NewLimit, NewNote, Note, family, session_of
from cln_monitor.cli.fleet.inventory import IMUNIFY
from cln_monitor.cli.fleet.key_argument import resolve_key
from cln_monitor.cli.fleet.stakes import changes_of_key, stakes_of_key, stakes_of_server
from cln_monitor.cli.known_names import imunify_codes
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cln import IMUNIFY_CODES, ImunifyKey, mask_key

app = family("Imunify keys and servers.")
keys = family("Imunify keys.")
servers = family("Imunify servers.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")

_KEY = ("key", "mask", "code", "limit", "servers", "note", "type")


def _row(key: ImunifyKey) -> dict[str, object]:
    return row_of(key, mask=mask_key(key.key))


@keys.command("list")
@lists(*_KEY)
def list_keys(context: typer.Context) -> None:
    """List the keys of the account."""
    session = session_of(context)
    session.output.rows(map(_row, session.client.imunify.keys()), "the account has no Imunify keys")


@keys.command("create")
@shows(*_KEY)
def create_key(
    context: typer.Context,
    *,
    code: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            autocompletion=imunify_codes,
            help=f"Product code: {', '.join(IMUNIFY_CODES)}, or a newer one.",
        ),
    ],
    limit: Limit,
    note: Note = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create a key and show it."""
    session = session_of(context)
    key = change(
        session,
        Action("create", f"an Imunify key of {code}"),
        lambda client: client.imunify.create_key(code, limit, note),
        yes=yes,
        dry_run=dry_run,
        caution="" if code in IMUNIFY_CODES else f"{code} is not a product code of the API document; CLN may refuse it",
    )
    session.output.record(_row(key))


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
    key = resolve_key(session, IMUNIFY, key)
    updated = change(
        session,
        Action("update", f"Imunify key {key}"),
        lambda client: client.imunify.update_key(key, limit, note),
        yes=yes,
        dry_run=dry_run,
        stakes=changes_of_key(limit, note),
    )
    session.output.record(_row(updated))


@keys.command("remove")
@lists("key", "server_id")
def remove_key(context: typer.Context, key: KeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a key with all its servers, and list the servers.

    To keep the servers, first move each to another key with `clntool imunify servers convert`. To remove a single
    server and keep the key, use `clntool imunify servers remove`.
    """
    session = session_of(context)
    key = resolve_key(session, IMUNIFY, key)
    removed = change(
        session,
        Action("remove", f"Imunify key {key} with all its servers"),
        lambda client: client.imunify.remove_key(key),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_key(session, IMUNIFY, key),
    )
    session.output.rows(map(row_of, removed), "the key had no servers")


@servers.command("list")
@lists("key", "server_id", "ip", "last_checkin")
def list_servers(
    context: typer.Context,
    *,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Only servers of this key (in full, or its mask).")
    ] = None,
) -> None:
    """List the servers of one key, or of all keys.

    Listing the servers of all keys takes one call per key.
    """
    session = session_of(context)
    client = session.client.imunify
    key = None if key is None else resolve_key(session, IMUNIFY, key)
    keys_: Sequence[str | ImunifyKey] = client.keys() if key is None else [key]
    show_all(
        session,
        keys_,
        lambda key_: [
            row_of(server, key=key_ if isinstance(key_, str) else key_.key) for server in client.servers(key_)
        ],
        "no Imunify servers are registered" if key is None else "the key has no servers",
    )


@servers.command("remove")
@shows("done", "server_id", "key")
def remove_server(context: typer.Context, id_: IdArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a server from its key, and keep the key.

    This frees one slot of the key's limit. To move the server to another key, use `clntool imunify servers convert`.
    To remove a key with all its servers, use `clntool imunify keys remove`.
    """
    session = session_of(context)
    removed = change(
        session,
        Action("remove", f"Imunify server {id_}"),
        lambda client: client.imunify.remove_server(id_),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_server(session, IMUNIFY, id_),
    )
    session.output.done(**row_of(removed))


@servers.command("convert")
@shows("done", "server_id", "key")
def convert_server(
    context: typer.Context,
    id_: IdArgument,
    new_key: Annotated[
        str, typer.Argument(metavar="NEW_KEY", help="Key to move the server to (in full, or its mask).")
    ],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Move a server to another key and to the product of that key.

    The server remains registered. To remove it from its key, use `clntool imunify servers remove`.
    """
    session = session_of(context)
    new_key = resolve_key(session, IMUNIFY, new_key)
    moved = change(
        session,
        Action("move", f"Imunify server {id_} to key {new_key}"),
        lambda client: client.imunify.convert_server(id_, new_key),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_server(session, IMUNIFY, id_, new_key),
    )
    session.output.done(**row_of(moved))
