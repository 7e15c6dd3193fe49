"""``clntool cloudlinux``: CloudLinux OS keys and servers."""

from __future__ import annotations

from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.context import IdArgument, KeyArgument, Limit, NewNote, Note, family, session_of
from cln_monitor.cli.fleet.key_argument import resolve_key
from cln_monitor.cli.fleet.product_codes import CLOUDLINUX, show_by_code
from cln_monitor.cli.fleet.stakes import changes_of_key, stakes_of_key, stakes_of_server
from cln_monitor.cli.known_names import cloudlinux_products
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cln import CLOUDLINUX_PRODUCTS, CloudLinuxKey, mask_key

app = family("CloudLinux OS keys and servers.")
keys = family("CloudLinux OS keys.")
servers = family("CloudLinux OS servers.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")

_KEY = ("key", "mask", "product", "limit", "note")
_PRODUCTS = ", ".join(CLOUDLINUX_PRODUCTS)
_OneProduct = Annotated[
    str | None,
    typer.Option(
        "--product",
        metavar="P",
        autocompletion=cloudlinux_products,
        help=f"Only this product: {_PRODUCTS} (default: all products, one call per product).",
    ),
]


def _row(key: CloudLinuxKey) -> dict[str, object]:
    return row_of(key, mask=mask_key(key.key))


@keys.command("list")
@lists(*_KEY)
def list_keys(context: typer.Context, *, product: _OneProduct = None) -> None:
    """List the keys of one product, or of all products."""
    session = session_of(context)
    client = session.client.cloudlinux
    show_by_code(session, CLOUDLINUX, product, lambda name: map(_row, client.keys(name)), "no CloudLinux OS keys found")


@keys.command("create")
@shows(*_KEY)
def create_key(
    context: typer.Context,
    *,
    product: Annotated[
        str, typer.Option(metavar="P", autocompletion=cloudlinux_products, help=f"Product: {_PRODUCTS}.")
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
        Action("create", f"a CloudLinux OS key of {product}"),
        lambda client: client.cloudlinux.create_key(product, limit, note),
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
    limit: Limit,
    note: NewNote = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Change the limit of a key, which CLN requires, and its note if given."""
    session = session_of(context)
    key = resolve_key(session, CLOUDLINUX, key)
    updated = change(
        session,
        Action("update", f"CloudLinux OS key {key}"),
        lambda client: client.cloudlinux.update_key(key, limit, note),
        yes=yes,
        dry_run=dry_run,
        stakes=changes_of_key(limit, note),
    )
    session.output.record(_row(updated))


@keys.command("remove")
@shows("done", "key")
def remove_key(context: typer.Context, key: KeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a key. It is not documented what CLN does with its servers.

    To remove a single server and keep the key, use `clntool cloudlinux servers remove`.
    """
    session = session_of(context)
    key = resolve_key(session, CLOUDLINUX, key)
    change(
        session,
        Action("remove", f"CloudLinux OS key {key}"),
        lambda client: client.cloudlinux.remove_key(key),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_key(session, CLOUDLINUX, key),
    )
    session.output.done(key=key)


@servers.command("list")
@lists("server_id", "key", "ip", "hostname")
def list_servers(context: typer.Context, *, product: _OneProduct = None) -> None:
    """List the servers of one product, or of all products."""
    session = session_of(context)
    client = session.client.cloudlinux
    show_by_code(
        session, CLOUDLINUX, product, lambda name: map(row_of, client.servers(name)), "no CloudLinux OS servers found"
    )


@servers.command("remove")
@shows("done", "server_id", "key")
def remove_server(context: typer.Context, id_: IdArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove a server from its key, and keep the key.

    This frees one slot of the key's limit. To remove a key, use `clntool cloudlinux keys remove`.
    """
    session = session_of(context)
    removed = change(
        session,
        Action("remove", f"CloudLinux OS server {id_}"),
        lambda client: client.cloudlinux.remove_server(id_),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_server(session, CLOUDLINUX, id_),
    )
    session.output.done(**row_of(removed))
