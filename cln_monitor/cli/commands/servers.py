"""``clntool servers``: the servers of all products, and which of them can go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from cln_monitor.cli.change import DryRun, Yes
from cln_monitor.cli.concurrent import Gathering, show_with_errors
from cln_monitor.cli.context import family, session_of, whole
from cln_monitor.cli.fleet.criterion import LEAST_STALE, Criterion
from cln_monitor.cli.fleet.inventory import IMUNIFY, IP_LICENSES, KERNELCARE, OF_KEYS, PRODUCT_NAMES, Inventory
from cln_monitor.cli.fleet.key_argument import keys_named
from cln_monitor.cli.fleet.prune import OUTCOME_COLUMNS, OUTCOME_FIELDS, prune
from cln_monitor.cli.fleet.registrations import (
    COLUMNS,
    FIELDS,
    Standing,
    by_address,
    by_host_name,
    oldest_first,
    row_of_server,
    stale_after_in,
    stand,
)
from cln_monitor.cli.output import say
from cln_monitor.cli.output_fields import lists
from cln_monitor.cli.session import UsageError
from cln_monitor.cln import GroupServer
from cln_monitor.durations import format_age, parse_duration
from cln_monitor.probes import NEVER, UNKNOWN

app = family("Servers of all products: which are silent, which are superseded, which can go.")


class Sort(StrEnum):
    """What a list of servers goes by."""

    AGE = "age"
    IP = "ip"
    HOSTNAME = "hostname"


_SORT = {Sort.AGE: oldest_first, Sort.IP: by_address, Sort.HOSTNAME: by_host_name}


def duration(text: str | float) -> float:
    """Return the seconds of a duration such as ``30d``. Raises what typer makes a usage error of."""
    try:
        return parse_duration(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def product(text: str) -> str:
    """Return the product that ``text`` names. Raises what typer makes a usage error of."""
    name = text.lower().replace("-", "_")
    if name not in PRODUCT_NAMES:
        raise typer.BadParameter(f"it takes one of {', '.join(PRODUCT_NAMES)}")
    return name


def _products(incomplete: str) -> list[str]:
    return [name for name in PRODUCT_NAMES if name.startswith(incomplete)]


def _products_with_keys(incomplete: str) -> list[str]:
    return [name for name in OF_KEYS if name.startswith(incomplete)]


_Key = Annotated[str | None, typer.Option(metavar="KEY", help="Only servers of this key; in full, or its mask.")]


@app.command("list")
@lists(*FIELDS, columns=COLUMNS)
def list_servers(
    context: typer.Context,
    *,
    product_: Annotated[
        list[str] | None,
        typer.Option(
            "--product",
            metavar="P",
            parser=product,
            autocompletion=_products,
            help=f"Only this product, of {', '.join(PRODUCT_NAMES)}; can be given again.",
        ),
    ] = None,
    key: _Key = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="Only servers of this group.")] = None,
    stale: Annotated[
        float | None,
        typer.Option(
            metavar="AGE", parser=duration, help="Servers whose last check-in is older than this, such as 1d."
        ),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="Servers that have never checked in.")] = False,
    superseded: Annotated[
        bool,
        typer.Option("--superseded", help="Silent servers whose address has registered again; they are still billed."),
    ] = False,
    sort: Annotated[
        Sort, typer.Option(metavar="BY", help="age (the longest silent first), ip or hostname.", show_default=False)
    ] = Sort.AGE,
) -> None:
    """List the servers of all products, the longest silent first.

    Of --stale, --never and --superseded several can be given: a server is shown when one of them fits. The list takes a
    call for each key, product of ELS, group and hundred IP licenses.
    """
    session = session_of(context)
    _refuse_blank(key=key, group=group)
    is_in = None if group is None else _are_in(session.client.groups.servers(group))
    products = set(product_ or ((KERNELCARE, IMUNIFY) if group else PRODUCT_NAMES))
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering, () if product_ else products)
        inventory.read_keys(products)
        wanted = None if key is None else {each.key for each in keys_named(session, inventory, key)}
        if wanted is not None:
            products = {each.product for each in inventory.keys if each.key in wanted}
        inventory.read_servers(products)
        inventory.read_host_names()
    stands = [
        each
        for each in stand(inventory.servers, session.cln_now, stale_after_in(session))
        if (wanted is None or each.server.key in wanted) and (is_in is None or is_in(each))
    ]
    shown = stands
    if stale is not None or never or superseded:
        shown = [
            each
            for each in stands
            if (stale is not None and each.age is not None and each.age > stale)
            or (never and each.checkin == NEVER)
            or (superseded and each.successor is not None)
        ]
        _tell_unknown(stands)
    rows = [row_of_server(each, session.account.name) for each in sorted(shown, key=_SORT[sort])]
    inventory.tell_unavailable()
    is_all = not (product_ or key or group or inventory.unavailable or inventory.servers)
    show_with_errors(session, rows, inventory.errors, "no servers are registered" if is_all else "no servers match")


@app.command("prune")
@lists(*OUTCOME_FIELDS, columns=OUTCOME_COLUMNS)
def prune_servers(
    context: typer.Context,
    *,
    stale: Annotated[
        float | None,
        typer.Option(
            metavar="AGE",
            parser=duration,
            help=f"Servers whose last check-in is older than this, {format_age(LEAST_STALE)} at least, such as 30d.",
        ),
    ] = None,
    never: Annotated[
        bool,
        typer.Option(
            "--never",
            help="Servers that have never checked in and were registered more than 24 hours ago; KernelCare only, as "
            "CLN does not tell the registration of others.",
        ),
    ] = False,
    superseded: Annotated[
        bool,
        typer.Option("--superseded", help="Servers silent for 24 hours or more whose address has registered again."),
    ] = False,
    product_: Annotated[
        list[str] | None,
        typer.Option(
            "--product",
            metavar="P",
            parser=product,
            autocompletion=_products_with_keys,
            help=f"Only this product, of {', '.join(OF_KEYS)}; can be given again.",
        ),
    ] = None,
    key: _Key = None,
    most: Annotated[
        int | None,
        typer.Option(
            "--max",
            metavar="N",
            parser=whole,
            help="Remove nothing if more than N are found; allows more than half of a product, or all of it, to go.",
        ),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove servers that are gone: stale, never seen, or superseded; one of the three has to be given.

    The whole list is shown and asked about once. Each server is read again just before it is removed, and skipped if it
    has checked in meanwhile or its reason no longer holds. Nothing is removed while CLN has trouble, its clock is off
    or unknown, or a list is incomplete. Without --max nothing is removed either if all servers of a product, of 2 or
    more, or more than half of them, and at least 5, would go.
    """
    session = session_of(context)
    _refuse_blank(key=key)
    if [stale is not None, never, superseded].count(True) != 1:
        raise UsageError("which servers can go is not said: give one of --stale AGE, --never and --superseded")
    if stale is not None and stale < LEAST_STALE:
        raise UsageError(f"--stale: servers are removed after {format_age(LEAST_STALE)} of silence at the earliest")
    if IP_LICENSES in (product_ or ()):
        raise UsageError("--product: IP licenses have no servers to remove; see clntool ip-licenses remove --help")
    if most is not None and most < 1:
        raise UsageError("--max: expected a number of servers, 1 or more")
    criterion = Criterion(stale, never=never, superseded=superseded)
    prune(session, criterion, set(product_ or ()), key, most, yes=yes, dry_run=dry_run)


def _tell_unknown(stands: Sequence[Standing]) -> None:
    """Tell of how many servers CLN tells no check-in, as no condition on check-ins finds those."""
    for name in OF_KEYS:
        number = sum(each.server.product == name and each.checkin == UNKNOWN for each in stands)
        if number:
            servers = f"{number} {PRODUCT_NAMES[name]} server{'s' * (number != 1)}"
            say(f"note: CLN does not tell the last check-in of {servers}")


def _are_in(members: Sequence[GroupServer]) -> Callable[[Standing], bool]:
    """Return what tells whether a server is one of the ``members`` of a group, which tells their products as well."""
    known = {(member.type.lower(), member.server_id) for member in members}

    def is_in(each: Standing) -> bool:
        return bool({(product, each.server.server_id) for product in (each.server.product, "")} & known)

    return is_in


def _refuse_blank(**options: str | None) -> None:
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name} is empty; give a value, or leave the option out")
