"""Which servers can go, and whether it is safe to remove them now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import typer

from cln_monitor.cli.change import agrees, require_terminal
from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.exit_codes import Code
from cln_monitor.cli.fleet.key_argument import keys_named
from cln_monitor.cli.output import say
from cln_monitor.cli.session import Session
from cln_monitor.cli.signals import ends_like_ctrl_c
from cln_monitor.probes import UNKNOWN

from .criterion import Criterion
from .inventory import IMUNIFY, KERNELCARE, OF_KEYS, PRODUCT_NAMES, Inventory
from .registrations import (
    FIELDS,
    Standing,
    oldest_first,
    row_of_server,
    stale_after_in,
    stand,
)
from .removal import SKIPPED, Removal
from .safety import refuse_incomplete, require_few, require_good_flags, require_whole

OUTCOME_FIELDS = (*FIELDS, "outcome", "reason")
OUTCOME_COLUMNS = ("product", "id", "ip", "hostname", "outcome", "reason")


class Candidates(NamedTuple):
    """The servers that can ``go``, and those that look so and are ``kept``, with the reason of each."""

    go: list[tuple[Standing, str]]
    kept: list[tuple[Standing, str]]


@ends_like_ctrl_c()
def prune(
    session: Session,
    criterion: Criterion,
    asked: set[str],
    key: str | None,
    most: int | None,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Remove the servers that ``criterion`` fits, of the products ``asked`` for or of all, once a person has agreed.

    SIGTERM and SIGHUP end it as Ctrl-C does. Raises ChangeRefusedError where that is not safe, UsageError and ClnError.
    """
    if not (yes or dry_run):
        require_terminal("remove servers")
    products = asked or set(OF_KEYS)
    if criterion.superseded:
        products = _of_which_registrations_are_told(products)
    require_good_flags(session)
    inventory, wanted = _read(session, criterion, products, key, optional=products - asked)
    now = session.cln_now
    stands = stand(inventory.servers, now, stale_after_in(session))
    chosen = [each for each in stands if wanted is None or each.server.key in wanted]
    found = _candidates(chosen, stands, criterion, now)
    _tell_undated(chosen, criterion)
    is_all = dry_run or not found.go
    if is_all:
        _show(session, found, "would_remove")
    if not found.go:
        say("no server to remove")
    require_few([each for each, _ in found.go], stands, most)
    if is_all:
        return
    _ask(session, found, yes=yes)
    require_good_flags(session)  # the person who was asked may have taken an hour
    removal = Removal(session, inventory, criterion)
    removal.run(found.go, found.kept)
    if not session.output.is_table:
        session.output.rows(removal.rows(), "")
    removal.end()


def _of_which_registrations_are_told(products: set[str]) -> set[str]:
    if KERNELCARE not in products:
        say("note: only KernelCare servers can be superseded")
    return products & {KERNELCARE}


def _ask(session: Session, found: Candidates, *, yes: bool) -> None:
    """Show what is to go, and end the program where the person who is asked does not agree."""
    if session.output.is_table:
        _show(session, found, "to_remove")
    elif not yes:
        for each, reason in found.go:
            say(f"{each.server.name}: {reason}")
    these = "this server" if len(found.go) == 1 else f"these {len(found.go)} servers"
    if not yes and not agrees(f"remove {these} at {session.client.api}?"):
        raise typer.Exit(Code.REFUSED)


def _read(
    session: Session, criterion: Criterion, products: set[str], key: str | None, *, optional: set[str]
) -> tuple[Inventory, set[str] | None]:
    """Return all there is of ``products``, or of those that have the ``key`` where one is given, and that key.

    Raises ChangeRefusedError where it is not whole, UsageError and ClnError.
    """
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering, optional)
        inventory.read_keys(products)
        refuse_incomplete(inventory.errors)
        wanted = None if key is None else {each.key for each in keys_named(session, inventory, key)}
        if wanted is not None:
            products = {each.product for each in inventory.keys if each.key in wanted}
        reported = {each.key: each.used for each in inventory.keys if each.product == IMUNIFY}
        inventory.read_servers(products)
        if criterion.superseded:
            inventory.read_host_names()
    inventory.tell_unavailable()
    refuse_incomplete(inventory.errors)
    require_whole([each for each in inventory.keys if each.product in products], reported)
    return inventory, wanted


def _candidates(chosen: Sequence[Standing], stands: Sequence[Standing], criterion: Criterion, now: float) -> Candidates:
    ids = Counter((each.server.product, each.server.server_id) for each in stands)
    go, kept = [], []
    for each in sorted(chosen, key=oldest_first):
        server = each.server
        if not criterion.fits(each):
            if criterion.superseded and each.rival:
                kept.append((each, f"not superseded: {each.rival}"))
        elif ids[server.product, server.server_id] > 1:
            kept.append((each, "another server has the same id, and CLN removes by id alone"))
        elif objection := criterion.objection(each, now):
            kept.append((each, objection))
        else:
            go.append((each, criterion.reason(each, now)))
    return Candidates(go, kept)


def _tell_undated(chosen: Sequence[Standing], criterion: Criterion) -> None:
    """Tell of how many servers nobody can say whether they can go."""
    if criterion.superseded:
        return
    counts = Counter(each.server.product for each in chosen if each.checkin == UNKNOWN)
    for product, number in counts.items():
        servers = f"{number} {PRODUCT_NAMES[product]} server{'s' * (number != 1)}"
        say(f"note: CLN does not tell the last check-in of {servers}; not removed")


def _show(session: Session, found: Candidates, outcome: str) -> None:
    """Show the list of what can go, which is to have that ``outcome``, and of what looks so and stays."""
    rows = [
        row_of_server(each, session.account.name) | {"outcome": what, "reason": reason}
        for what, listed in ((outcome, found.go), (SKIPPED, found.kept))
        for each, reason in listed
    ]
    session.output.rows(rows, "")
