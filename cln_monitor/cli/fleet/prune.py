"""The removal of servers that are no longer in use: selection, safety checks, confirmation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import typer

from cln_monitor.cli.change import confirm, require_terminal
from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cli.exit_codes import ExitCode
from cln_monitor.cli.fleet.key_argument import find_keys
from cln_monitor.cli.output import eprint
from cln_monitor.cli.signals import ends_like_ctrl_c
from cln_monitor.policy import UNKNOWN

from .criterion import Criterion
from .inventory import CHECKING_IN, IMUNIFY, KERNELCARE, PRODUCT_NAMES, Inventory
from .registrations import (
    FIELDS,
    ServerStatus,
    oldest_first,
    row_of_server,
    server_statuses,
    stale_after_in,
)
from .removal import SKIPPED, Removal
from .safety import refuse_incomplete, require_complete, require_few, require_good_flags

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

OUTCOME_FIELDS = (*FIELDS, "outcome", "reason")
OUTCOME_COLUMNS = ("product", "id", "ip", "hostname", "outcome", "reason")


class Candidates(NamedTuple):
    """The servers to ``remove``, and those that are ``kept`` although they seem unused, each with a reason."""

    remove: list[tuple[ServerStatus, str]]
    kept: list[tuple[ServerStatus, str]]


@ends_like_ctrl_c()
def prune(
    session: Session,
    criterion: Criterion,
    requested: set[str],
    key: str | None,
    most: int | None,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Remove the servers to which ``criterion`` applies, of the products ``requested`` or of all, once confirmed.

    SIGTERM and SIGHUP act as Ctrl-C does. Raises ChangeRefusedError if a removal is not safe, UsageError and ClnError.
    """
    if not (yes or dry_run):
        require_terminal("remove servers")
    products = requested or set(CHECKING_IN)
    if criterion.superseded:
        products = _with_registration_dates(products)
    require_good_flags(session)
    inventory, wanted = _read(session, criterion, products, key, optional=products - requested)
    now = session.cln_now
    statuses = server_statuses(inventory.servers, now, stale_after_in(session))
    chosen = [status for status in statuses if wanted is None or status.server.key in wanted]
    candidates = _candidates(chosen, statuses, criterion, now)
    _report_unknown(chosen, criterion)
    is_all = dry_run or not candidates.remove
    if is_all:
        _show(session, candidates, "would_remove")
    if not candidates.remove:
        eprint("no servers to remove")
    require_few([status for status, _ in candidates.remove], statuses, most)
    if is_all:
        return
    _confirm(session, candidates, yes=yes)
    require_good_flags(session)  # the confirmation may have taken an hour
    removal = Removal(session, inventory, criterion)
    removal.run(candidates.remove, candidates.kept)
    if not session.output.is_table:
        session.output.rows(removal.rows(), "")
    removal.end()


def _with_registration_dates(products: set[str]) -> set[str]:
    if KERNELCARE not in products:
        eprint("note: only KernelCare servers can be superseded")
    return products & {KERNELCARE}


def _confirm(session: Session, candidates: Candidates, *, yes: bool) -> None:
    """Show the servers to remove, and exit the program if the removal is not confirmed."""
    if session.output.is_table:
        _show(session, candidates, "to_remove")
    elif not yes:
        for status, reason in candidates.remove:
            eprint(f"{status.server.name}: {reason}")
    number = len(candidates.remove)
    servers = "this server" if number == 1 else f"these {number} servers"
    if not yes and not confirm(f"remove {servers} at {session.client.api}?"):
        raise typer.Exit(ExitCode.REFUSED)


def _read(
    session: Session, criterion: Criterion, products: set[str], key: str | None, *, optional: set[str]
) -> tuple[Inventory, set[str] | None]:
    """Return the inventory of ``products``, and the ``key`` in full, or None; with a key, only of its products.

    Raises ChangeRefusedError if the inventory is incomplete, UsageError and ClnError.
    """
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader, optional)
        inventory.read_keys(products)
        refuse_incomplete(inventory.errors)
        wanted = None if key is None else {listed.key for listed in find_keys(session, inventory, key)}
        if wanted is not None:
            products = {listed.product for listed in inventory.keys if listed.key in wanted}
        reported = {listed.key: listed.used for listed in inventory.keys if listed.product == IMUNIFY}
        inventory.read_servers(products)
        if criterion.superseded:
            inventory.read_host_names()
    inventory.report_unavailable()
    refuse_incomplete(inventory.errors)
    require_complete([listed for listed in inventory.keys if listed.product in products], reported)
    return inventory, wanted


def _candidates(
    chosen: Sequence[ServerStatus], statuses: Sequence[ServerStatus], criterion: Criterion, now: float
) -> Candidates:
    ids = Counter((status.server.product, status.server.server_id) for status in statuses)
    remove, kept = [], []
    for status in sorted(chosen, key=oldest_first):
        server = status.server
        if not criterion.applies(status):
            if criterion.superseded and status.rival:
                kept.append((status, f"not superseded: {status.rival}"))
        elif ids[server.product, server.server_id] > 1:
            kept.append((status, "another server has the same id, and CLN removes servers by id only"))
        elif objection := criterion.objection(status, now):
            kept.append((status, objection))
        else:
            remove.append((status, criterion.reason(status, now)))
    return Candidates(remove, kept)


def _report_unknown(chosen: Sequence[ServerStatus], criterion: Criterion) -> None:
    """Report the number of servers that are not removed because their last check-in is unknown."""
    if criterion.superseded:
        return
    counts = Counter(status.server.product for status in chosen if status.checkin == UNKNOWN)
    for product, number in counts.items():
        servers = f"{number} {PRODUCT_NAMES[product]} server{'s' * (number != 1)}"
        eprint(f"note: CLN does not report the last check-in of {servers}; not removed")


def _show(session: Session, candidates: Candidates, outcome: str) -> None:
    """Show the servers to remove, with the given ``outcome``, and those that are kept."""
    rows = [
        row_of_server(status, session.account.name) | {"outcome": name, "reason": reason}
        for name, listed in ((outcome, candidates.remove), (SKIPPED, candidates.kept))
        for status, reason in listed
    ]
    session.output.rows(rows, "")
