"""``clntool kernelcare``: keys, servers, monitoring keys, the patch status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.concurrent import Gathering, show_gathered, show_with_errors
from cln_monitor.cli.context import KeyArgument, Limit, MonitoringKeyArgument, Note, family, session_of
from cln_monitor.cli.fleet.inventory import KERNELCARE, Inventory
from cln_monitor.cli.fleet.key_argument import key_in_full
from cln_monitor.cli.fleet.stakes import stakes_of_key, stakes_of_server
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cli.session import UsageError
from cln_monitor.cln import STATES, KernelCareKey, mask_key

app = family("KernelCare: keys, servers, and whether kernels are patched.")
keys = family("KernelCare keys.")
servers = family("KernelCare servers.")
monitoring_key = family("Keys that monitoring asks by.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")
app.add_typer(monitoring_key, name="monitoring-key")


@keys.command("list")
@lists("key", "mask", "enabled", "used", "limit", "note", "created")
def list_keys(context: typer.Context) -> None:
    """List the keys of the account, with the number of their servers: one call more than there are keys."""
    session = session_of(context)
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering)
        inventory.read_keys([KERNELCARE])
        inventory.read_servers([KERNELCARE])
    rows = [row_of(each.row, mask=mask_key(each.key), used=each.used) for each in inventory.keys]
    show_with_errors(session, rows, inventory.errors, "the account has no KernelCare keys")


@keys.command("create")
@shows("key")
def create_key(
    context: typer.Context, *, limit: Limit, note: Note = None, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Create a key, and show it."""
    session = session_of(context)
    key = change(
        session,
        Action("create", "a KernelCare key"),
        lambda client: client.kernelcare.create_key(limit, note),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.record({"key": key})


@keys.command("delete")
@shows("done", "key")
def delete_key(context: typer.Context, key: KeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Delete a key; its servers can no longer use it.

    What becomes of the servers themselves CLN does not document. To take one server off a key that stays, use
    `clntool kernelcare servers remove`.
    """
    session = session_of(context)
    key = key_in_full(session, KERNELCARE, key)
    change(
        session,
        Action("delete", f"KernelCare key {key}"),
        lambda client: client.kernelcare.delete_key(key),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_key(session, KERNELCARE, key),
    )
    session.output.done(key=key)


@keys.command("set-cidr")
@shows("done", "key", "cidrs")
def set_cidr(
    context: typer.Context,
    key: KeyArgument,
    cidrs: Annotated[
        list[str],
        typer.Argument(metavar="CIDR", help="Networks, such as 192.0.2.0/24; several in one argument, too."),
    ],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Add networks from which servers may register with a key; whether CLN keeps those of before is unknown."""
    session = session_of(context)
    key = key_in_full(session, KERNELCARE, key)
    networks = [network for argument in cidrs for network in re.split("[ ,;]+", argument.strip(" ,;"))]
    change(
        session,
        Action("add", f"{', '.join(networks)} to the networks of KernelCare key {key}"),
        lambda client: client.kernelcare.set_cidrs(key, networks),
        yes=yes,
        dry_run=dry_run,
    )
    session.output.done(key=key, cidrs=networks)


@servers.command("list")
@lists("key", "server_id", "ip", "created", "last_checkin")
def list_servers(
    context: typer.Context,
    *,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Only servers of this key; in full, or its mask.")
    ] = None,
) -> None:
    """List the servers of a key, or of all keys: one call more than there are keys."""
    session = session_of(context)
    client = session.client.kernelcare
    key = None if key is None else key_in_full(session, KERNELCARE, key)
    asked: Sequence[str | KernelCareKey] = client.keys() if key is None else [key]
    show_gathered(
        session,
        asked,
        lambda of: [row_of(server, key=of if isinstance(of, str) else of.key) for server in client.servers(of)],
        "no KernelCare servers are registered" if key is None else "the key has no servers",
    )


@servers.command("remove")
@shows("done", "server_id", "key")
def remove_server(
    context: typer.Context,
    server_id: Annotated[str, typer.Argument(metavar="SERVER_ID", help="The id of a server.")],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove a server from its key, which stays.

    It frees a place of the limit. To remove a key with all its servers, use `clntool kernelcare keys delete`; to remove
    all servers that are gone, `clntool servers prune`.
    """
    session = session_of(context)
    removed = change(
        session,
        Action("remove", f"KernelCare server {server_id}"),
        lambda client: client.kernelcare.remove_server(server_id),
        yes=yes,
        dry_run=dry_run,
        stakes=stakes_of_server(session, KERNELCARE, server_id),
    )
    session.output.done(**row_of(removed))


@monitoring_key.command("register")
@shows("done", "key")
def register(context: typer.Context, key: MonitoringKeyArgument, *, yes: Yes = False, dry_run: DryRun = False) -> None:
    """Register a monitoring key for the address of this machine, or keep it registered."""
    session = session_of(context)
    change(
        session,
        Action("register", f"monitoring key {key} for the address of this machine"),
        lambda client: client.monitoring_keys.register(key),
        yes=yes,
        dry_run=dry_run,
        client=session.anonymous,
    )
    session.output.done(key=key)


@app.command("patch-status")
@shows("ok", *STATES, "hosts")
def show_patch_status(
    context: typer.Context,
    *,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="Of the servers of this key; in full, or its mask.")
    ] = None,
    reseller: Annotated[bool, typer.Option("--reseller", help="Of all servers of the account.")] = False,
) -> None:
    """Show how many servers are patched, by a KernelCare key or monitoring key, or of all the account."""
    session = session_of(context)
    if (key is None) != reseller:
        raise UsageError("what to ask about is not said: give either --key KEY or --reseller")
    if key is not None:
        key = key_in_full(session, KERNELCARE, key)
        status = session.anonymous.patch_status.for_key(key)
    else:
        status = session.client.patch_status.for_reseller()
    counts = status.counts or dict.fromkeys(STATES)
    session.output.record({"ok": status.ok, **counts, "hosts": [row_of(host) for host in status.hosts]})
