"""``clntool servers``: the servers of all products, and the removal of those no longer in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated

import typer

from cln_monitor.cli.change import DryRun, Yes
from cln_monitor.cli.concurrent import ConcurrentReader, show_with_errors
from cln_monitor.cli.context import family, session_of, whole
from cln_monitor.cli.fleet.criterion import LEAST_STALE, Criterion
from cln_monitor.cli.fleet.inventory import (
    CHECKING_IN,
    IMUNIFY,
    IP_LICENSES,
    KERNELCARE,
    KEY_PRODUCTS,
    PRODUCT_NAMES,
    Inventory,
)
from cln_monitor.cli.fleet.key_argument import find_keys
from cln_monitor.cli.fleet.product_codes import CLOUDLINUX
from cln_monitor.cli.fleet.prune import OUTCOME_COLUMNS, OUTCOME_FIELDS, prune
from cln_monitor.cli.fleet.registrations import (
    COLUMNS,
    FIELDS,
    ServerStatus,
    by_address,
    by_host_name,
    oldest_first,
    row_of_server,
    server_statuses,
    stale_after_in,
)
from cln_monitor.cli.output import eprint
from cln_monitor.cli.output_fields import lists
from cln_monitor.cli.usage import UsageError
from cln_monitor.cln import GroupServer
from cln_monitor.durations import format_age, parse_duration
from cln_monitor.policy import NEVER, UNKNOWN

app = family("Servers of all products: list them, and remove those no longer in use.")


class Sort(StrEnum):
    """The sort orders of a list of servers."""

    AGE = "age"
    IP = "ip"
    HOSTNAME = "hostname"


_SORT = {Sort.AGE: oldest_first, Sort.IP: by_address, Sort.HOSTNAME: by_host_name}


def duration(text: str | float) -> float:
    """Return the seconds of a duration such as ``30d``. Raises typer.BadParameter, which is a usage error."""
    try:
        return parse_duration(str(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def product(text: str) -> str:
    """Return the product that ``text`` names. Raises typer.BadParameter, which is a usage error."""
    name = text.lower().replace("-", "_")
    if name not in PRODUCT_NAMES:
        raise typer.BadParameter(f"{text!r} is not one of {', '.join(PRODUCT_NAMES)}")
    return name


def _products(incomplete: str) -> list[str]:
    return [name for name in PRODUCT_NAMES if name.startswith(incomplete)]


def _products_to_prune(incomplete: str) -> list[str]:
    return [name for name in CHECKING_IN if name.startswith(incomplete)]


_Key = Annotated[str | None, typer.Option(metavar="KEY", help="Only servers of this key (in full, or its mask).")]


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
            help=f"Only this product: {', '.join(PRODUCT_NAMES)}; can be repeated.",
        ),
    ] = None,
    key: _Key = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="Only servers of this group.")] = None,
    stale: Annotated[
        float | None,
        typer.Option(metavar="AGE", parser=duration, help="Servers whose last check-in is older than AGE, such as 1d."),
    ] = None,
    never: Annotated[bool, typer.Option("--never", help="Servers that have never checked in.")] = False,
    superseded: Annotated[
        bool,
        typer.Option("--superseded", help="Silent servers whose address has registered again; they are still billed."),
    ] = False,
    sort: Annotated[
        Sort,
        typer.Option(
            metavar="BY",
            help="Sort by age (default; the oldest check-in first), ip or hostname.",
            show_default=False,
        ),
    ] = Sort.AGE,
) -> None:
    """List the servers of all products, those with the oldest check-in first.

    --stale, --never and --superseded can be combined: a server is shown if at least one of them applies. The list takes
    one call per key, ELS or CloudLinux OS product, group, and 100 IP licenses, and another one per KernelCare key for
    the host names of silent servers in no group.
    """
    session = session_of(context)
    _refuse_blank(key=key, group=group)
    is_member = None if group is None else _membership(session.client.groups.servers(group))
    products = set(product_ or ((KERNELCARE, IMUNIFY) if group else PRODUCT_NAMES))
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader, () if product_ else products)
        inventory.read_keys(products)
        wanted = None if key is None else {listed.key for listed in find_keys(session, inventory, key)}
        if wanted is not None:
            products = {listed.product for listed in inventory.keys if listed.key in wanted}
        inventory.read_servers(products)
        # The servers of a group have their host names in it.
        silent_since = None if group else session.cln_now - stale_after_in(session)(KERNELCARE)
        inventory.read_host_names(silent_since)
    statuses = [
        status
        for status in server_statuses(inventory.servers, session.cln_now, stale_after_in(session))
        if (wanted is None or status.server.key in wanted) and (is_member is None or is_member(status))
    ]
    shown = statuses
    if stale is not None or never or superseded:
        shown = [
            status
            for status in statuses
            if (stale is not None and status.age is not None and status.age > stale)
            or (never and status.checkin == NEVER)
            or (superseded and status.successor is not None)
        ]
        _report_unknown(statuses)
    rows = [row_of_server(status, session.account.name) for status in sorted(shown, key=_SORT[sort])]
    inventory.report_unavailable()
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
            help=f"Servers whose last check-in is older than AGE, such as 30d; at least {format_age(LEAST_STALE)}.",
        ),
    ] = None,
    never: Annotated[
        bool,
        typer.Option(
            "--never",
            help="Servers that have never checked in and were registered more than 24 hours ago. KernelCare only: CLN "
            "does not report when servers of other products were registered.",
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
            autocompletion=_products_to_prune,
            help=f"Only this product: {', '.join(CHECKING_IN)}; can be repeated.",
        ),
    ] = None,
    key: _Key = None,
    most: Annotated[
        int | None,
        typer.Option(
            "--max",
            metavar="N",
            parser=whole,
            help="Maximum number of servers to remove: if more are found, none is removed. Allows removing more than "
            "half of the servers of a product, or all of them.",
        ),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Remove servers that are no longer in use; one of --stale, --never and --superseded is required.

    The whole list is shown and confirmed once. Each server is read again just before it is removed, and skipped if it
    has checked in since then or the condition no longer applies. Nothing is removed while CLN reports problems, while
    its clock is off or unknown, or if a list is incomplete. Without --max, nothing is removed if that would be all
    servers of a product (2 or more), or more than half of them (5 or more).
    """
    session = session_of(context)
    _refuse_blank(key=key)
    if [stale is not None, never, superseded].count(True) != 1:
        raise UsageError("use exactly one of --stale AGE, --never and --superseded")
    if stale is not None and stale < LEAST_STALE:
        raise UsageError(f"--stale: expected at least {format_age(LEAST_STALE)}")
    if IP_LICENSES in (product_ or ()):
        raise UsageError("--product: IP licenses have no servers to remove; see clntool ip-licenses remove --help")
    if CLOUDLINUX in (product_ or ()):
        raise UsageError(
            "--product: CLN reports no check-ins of CloudLinux OS servers; see clntool cloudlinux servers remove --help"
        )
    if most is not None and most < 1:
        raise UsageError("--max: expected a number of servers, 1 or more")
    criterion = Criterion(stale, never=never, superseded=superseded)
    prune(session, criterion, set(product_ or ()), key, most, yes=yes, dry_run=dry_run)


def _report_unknown(statuses: Sequence[ServerStatus]) -> None:
    """Report the number of servers without a known check-in, to which no condition on check-ins applies."""
    for name in KEY_PRODUCTS:
        number = sum(status.server.product == name and status.checkin == UNKNOWN for status in statuses)
        if number:
            servers = f"{number} {PRODUCT_NAMES[name]} server{'s' * (number != 1)}"
            eprint(f"note: CLN does not report the last check-in of {servers}")


def _membership(members: Sequence[GroupServer]) -> Callable[[ServerStatus], bool]:
    """Return a predicate that is true for the servers among ``members`` of a group, by product and id."""
    known = {(member.type.lower(), member.server_id) for member in members}

    def is_member(status: ServerStatus) -> bool:
        return bool({(product, status.server.server_id) for product in (status.server.product, "")} & known)

    return is_member


def _refuse_blank(**options: str | None) -> None:
    for name, value in options.items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name} must not be empty; set a value or omit the option")
