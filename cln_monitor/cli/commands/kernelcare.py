"""``clntool kernelcare``: keys, servers, monitoring keys, and the patch status."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from cln_monitor.cli.change import Action, DryRun, Yes, change
from cln_monitor.cli.concurrent import ConcurrentReader, show_all, show_with_errors
from cln_monitor.cli.context import KeyArgument, Limit, MonitoringKeyArgument, Note, family, session_of
from cln_monitor.cli.fleet.inventory import KERNELCARE, Inventory
from cln_monitor.cli.fleet.key_argument import resolve_key
from cln_monitor.cli.fleet.stakes import stakes_of_key, stakes_of_server
from cln_monitor.cli.output import row_of
from cln_monitor.cli.output_fields import lists, shows
from cln_monitor.cli.usage import UsageError
from cln_monitor.cln import STATES, KernelCareKey, mask_key

app = family("KernelCare keys, servers, and patch status.")
keys = family("KernelCare keys.")
servers = family("KernelCare servers.")
monitoring_key = family("Monitoring keys, for the patch status.")
app.add_typer(keys, name="keys")
app.add_typer(servers, name="servers")
app.add_typer(monitoring_key, name="monitoring-key")


@keys.command("list")
@lists("key", "mask", "enabled", "used", "limit", "note", "created")
def list_keys(context: typer.Context) -> None:
    """List the keys of the account, with the number of their servers.

    This takes one call per key.
    """
    session = session_of(context)
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader)
        inventory.read_keys([KERNELCARE])
        inventory.read_servers([KERNELCARE])
    rows = [row_of(key.row, mask=mask_key(key.key), used=key.used) for key in inventory.keys]
    show_with_errors(session, rows, inventory.errors, "the account has no KernelCare keys")


@keys.command("create")
@shows("key")
def create_key(
    context: typer.Context, *, limit: Limit, note: Note = None, yes: Yes = False, dry_run: DryRun = False
) -> None:
    """Create a key and show it."""
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

    CLN does not document what happens to the servers themselves. To remove a single server and keep the key, use
    `clntool kernelcare servers remove`.
    """
    session = session_of(context)
    key = resolve_key(session, KERNELCARE, key)
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
        typer.Argument(metavar="CIDR", help="Networks, such as 192.0.2.0/24; an argument can list several."),
    ],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Add networks from which servers may register with a key.

    CLN does not document whether it keeps the previous networks of the key.
    """
    session = session_of(context)
    key = resolve_key(session, KERNELCARE, key)
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
        str | None, typer.Option(metavar="KEY", help="Only servers of this key (in full, or its mask).")
    ] = None,
) -> None:
    """List the servers of one key, or of all keys.

    Listing the servers of all keys takes one call per key.
    """
    session = session_of(context)
    client = session.client.kernelcare
    key = None if key is None else resolve_key(session, KERNELCARE, key)
    keys_: Sequence[str | KernelCareKey] = client.keys() if key is None else [key]
    show_all(
        session,
        keys_,
        lambda key_: [
            row_of(server, key=key_ if isinstance(key_, str) else key_.key) for server in client.servers(key_)
        ],
        "no KernelCare servers are registered" if key is None else "the key has no servers",
    )


@servers.command("remove")
@shows("done", "server_id", "key")
def remove_server(
    context: typer.Context,
    server_id: Annotated[str, typer.Argument(metavar="SERVER_ID", help="Server id.")],
    *,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove a server from its key, and keep the key.

    This frees one slot of the key's limit. To remove a key with all its servers, use `clntool kernelcare keys
    delete`. To remove all servers that are no longer in use, use `clntool servers prune`.
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
    """Register a monitoring key for the IP address of this machine, or keep it registered."""
    session = session_of(context)
    change(
        session,
        Action("register", f"monitoring key {key} for the IP address of this machine"),
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
    key: Annotated[str | None, typer.Option(metavar="KEY", help="Servers of this key (in full, or its mask).")] = None,
    reseller: Annotated[bool, typer.Option("--reseller", help="All servers of the account.")] = False,
) -> None:
    """Show how many servers are patched, for one KernelCare key or monitoring key, or for the whole account."""
    session = session_of(context)
    if (key is None) != reseller:
        raise UsageError("use either --key KEY or --reseller")
    if key is not None:
        key = resolve_key(session, KERNELCARE, key)
        status = session.anonymous.patch_status.for_key(key)
    else:
        status = session.client.patch_status.for_reseller()
    counts = status.counts or dict.fromkeys(STATES)
    session.output.record({"ok": status.ok, **counts, "hosts": [row_of(host) for host in status.hosts]})
