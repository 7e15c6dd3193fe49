"""``clntool els``: keys and servers of Extended Lifecycle Support (ELS)."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.context import IdArgument, KeyArgument, Limit, NewLimit, NewNote, Note, family, session_of
from cln_monitor.cli.fleet.key_argument import resolve_key
from cln_monitor.cli.fleet.product_codes import ELS, codes_of, show_by_code
from cln_monitor.cli.fleet.stakes import changes_of_key, stakes_of_key, stakes_of_server
from cln_monitor.cli.known_names import els_codes as offered_codes
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cli.usage import UsageError
from cln_monitor.cln import ELS_CODES, ElsKey, mask_key

app = family("Extended Lifecycle Support (ELS) keys and servers.")
keys = family("ELS keys.")
servers = family("ELS servers.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")

_KEY = ("key", "mask", "code", "limit", "note")
_SERVER = ("server_id", "key", "ip", "hostname", "last_checkin")
_OneCode = Annotated[
    str | None,
    typer.Option(
        "--code",
        metavar="CODE",
        autocompletion=offered_codes,
        help="Only this product (default: all products, one call per product).",
    ),
]


def _row(key: ElsKey) -> dict[str, object]:
    return row_of(key, mask=mask_key(key.key))


@keys.command("list")
@lists(*_KEY)
def list_keys(context: typer.Context, *, code: _OneCode = None) -> None:
    """List the keys of one product, or of all products."""
    session = session_of(context)
    client = session.client.els
    show_by_code(session, ELS, code, lambda product: map(_row, client.keys(product)), "no ELS keys found")


@keys.command("create")
@shows(*_KEY)
def create_key(
    context: typer.Context,
    *,
    code: Annotated[
        str, typer.Option(metavar="CODE", autocompletion=offered_codes, help="Product code, such as CELS.")
    ],
    limit: Limit,
    note: Note = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Create a key and show it."""
    session = session_of(context)
    codes = dict.fromkeys([*ELS_CODES, *codes_of(session, ELS)])
    if code not in codes:
        raise UsageError(f"--code: expected one of {', '.join(codes)}; add newer codes to probes.els.products")
    key = change(
        session,
        Action("create", f"an ELS key of {code}"),
        lambda client: client.els.create_key(code, limit, note),
        yes=yes,
        dry_run=dry_run,
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
    key = resolve_key(session, ELS, key)
    updated = change(
        session,
        Action("update", f"ELS key {key}"),
        lambda client: client.els.update_key(key, limit, note),
        yes=yes,
        dry_run=dry_run,
        stakes=changes_of_key(limit, note),
    )
    session.output.record(_row(updated))


@keys.command("remove")
@lists(*_SERVER)
def remove_key(context: typer.Context, key: KeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a key with all its servers, and list the servers.

    To remove a single server and keep the key, use `clntool els servers remove`.
    """
    session = session_of(context)
    key = resolve_key(session, ELS, key)
    removed = change(
        session,
        Action("remove", f"ELS key {key} with all its servers"),
        lambda client: client.els.remove_key(key),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_key(session, ELS, key),
    )
    session.output.rows(map(row_of, removed), "CLN listed no servers of the key")


@servers.command("list")
@lists(*_SERVER)
def list_servers(context: typer.Context, *, code: _OneCode = None) -> None:
    """List the servers of one product, or of all products."""
    session = session_of(context)
    client = session.client.els
    show_by_code(session, ELS, code, lambda product: map(row_of, client.servers(product)), "no ELS servers found")


@servers.command("remove")
@shows("done", *_SERVER)
def remove_server(context: typer.Context, id_: IdArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a server from its key, and keep the key.

    This frees one slot of the key's limit. To remove a key with all its servers, use `clntool els keys remove`.
    """
    session = session_of(context)
    removed = change(
        session,
        Action("remove", f"ELS server {id_}"),
        lambda client: client.els.remove_server(id_),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_server(session, ELS, id_),
    )
    session.output.done(**row_of(removed))
