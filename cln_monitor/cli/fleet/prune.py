"""Which servers can go, and whether it is safe to remove them now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import typer

from cln_monitor.cli.change import ChangeRefusedError, agrees, require_terminal
from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.exit_codes import Code
from cln_monitor.cli.fleet.key_argument import keys_named
from cln_monitor.cli.output import say
from cln_monitor.cli.session import Session
from cln_monitor.cln import AuthorizationError, ClnError
from cln_monitor.durations import format_age
from cln_monitor.policy import DAY, LEAST_OF_MANY, NEVER_AFTER
from cln_monitor.probes import NEVER, UNKNOWN

from .inventory import IMUNIFY, KERNELCARE, PRODUCT_NAMES, Inventory, ListedKey
from .registrations import (
    FIELDS,
    Standing,
    last_seen,
    oldest_first,
    row_of_server,
    stale_after_in,
    stand,
)
from .removal import SKIPPED, Removal

LEAST_STALE = 3 * DAY
"""Seconds of silence after which a server is removed at the earliest."""
OUTCOME_FIELDS = (*FIELDS, "outcome", "reason")
OUTCOME_COLUMNS = ("product", "id", "ip", "hostname", "outcome", "reason")
_MOST_SKEW = 300.0  # seconds, as for the alert ClnClockSkew
_MOST_NAMED = 3


class Criterion(NamedTuple):
    """Which servers go: those silent for ``stale`` seconds, those that ``never`` checked in, or the ``superseded``."""

    stale: float | None
    never: bool
    superseded: bool

    def fits(self, each: Standing) -> bool:
        """Tell whether a server can go."""
        if self.stale is not None:
            return each.age is not None and each.age > self.stale
        return each.checkin == NEVER if self.never else each.successor is not None

    def reason(self, each: Standing, now: float) -> str:
        """Return why a server can go."""
        if not self.superseded or each.successor is None:
            return last_seen(each, now)
        new = each.successor
        since = format_age(now - (new.created or now))
        return f"superseded: {new.ip} registered again {since} ago as {new.server_id}; {last_seen(each, now)}"


class Candidates(NamedTuple):
    """The servers that can ``go``, and those that look so and are ``kept``, with the reason of each."""

    go: list[tuple[Standing, str]]
    kept: list[tuple[Standing, str]]


def prune(
    session: Session,
    criterion: Criterion,
    products: set[str],
    key: str | None,
    most: int | None,
    *,
    yes: bool,
    dry_run: bool,
) -> None:
    """Remove the servers of ``products`` that ``criterion`` fits, once a person has agreed to the whole list.

    Raises ChangeRefusedError where that is not safe, UsageError and ClnError.
    """
    if not (yes or dry_run):
        require_terminal("remove servers")
    if criterion.superseded:
        products = _of_which_registrations_are_told(products)
    _require_good_flags(session)
    inventory, wanted = _read(session, criterion, products, key)
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
    _require_few([each for each, _ in found.go], stands, most)
    if is_all:
        return
    _ask(session, found, yes=yes)
    removal = Removal(session, inventory.keys)
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
    session: Session, criterion: Criterion, products: set[str], key: str | None
) -> tuple[Inventory, set[str] | None]:
    """Return all there is of ``products``, or of those that have the ``key`` where one is given, and that key.

    Raises ChangeRefusedError where it is not whole, UsageError and ClnError.
    """
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering)
        inventory.read_keys(products)
        _refuse_incomplete(inventory.errors)
        wanted = None if key is None else {each.key for each in keys_named(inventory, key)}
        if wanted is not None:
            products = {each.product for each in inventory.keys if each.key in wanted}
        reported = {each.key: each.used for each in inventory.keys if each.product == IMUNIFY}
        inventory.read_servers(products)
        if criterion.superseded:
            inventory.read_host_names()
    _refuse_incomplete(inventory.errors)
    _require_whole([each for each in inventory.keys if each.product in products], reported)
    return inventory, wanted


def _require_good_flags(session: Session) -> None:
    try:
        status = session.client.status.flags()
    except ClnError as error:
        raise ChangeRefusedError(f"nothing was removed, as the status of CLN is unknown: {error}") from None
    if bad := [name for name in status.flags if not status.is_good(name)]:
        raise ChangeRefusedError(
            f"nothing was removed, as CLN has trouble ({', '.join(bad)}) and may not record check-ins; try again later"
        )
    skew = session.client.clock_skew or 0.0
    if abs(skew) > _MOST_SKEW:
        ahead = "ahead of" if skew > 0 else "behind"
        raise ChangeRefusedError(
            f"nothing was removed, as CLN's clock is {format_age(abs(skew))} {ahead} the one of this machine, "
            "so ages are not to be trusted; set the clock"
        )


def _refuse_incomplete(errors: Sequence[ClnError]) -> None:
    if not errors:
        return
    for error in errors:
        if isinstance(error, AuthorizationError):
            raise error
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise ChangeRefusedError(f"nothing was removed, as the lists are incomplete: {errors[0]}{more}")


def _require_whole(keys: Sequence[ListedKey], reported: dict[str, int | None]) -> None:
    """Refuse where CLN lists far fewer servers of a key than it counts, as the probe of Imunify warns of it."""
    short = [each for each in keys if each.key in reported and 2 * (each.used or 0) < (reported[each.key] or 0)]
    if short:
        named = ", ".join(f"{each.key} ({each.used} of {reported[each.key]})" for each in short[:_MOST_NAMED])
        raise ChangeRefusedError(f"nothing was removed, as CLN lists fewer servers than it counts: {named}")


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
        elif criterion.never and server.created is not None and now - server.created < NEVER_AFTER:
            kept.append((each, f"registered {format_age(now - server.created)} ago, it may still check in"))
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


def _require_few(go: Sequence[Standing], stands: Sequence[Standing], most: int | None) -> None:
    if most is not None and len(go) > most:
        raise ChangeRefusedError(f"nothing was removed, as {len(go)} servers were found, more than --max {most}")
    totals = Counter(each.server.product for each in stands)
    for product, number in Counter(each.server.product for each in go).items():
        if most is None and number >= LEAST_OF_MANY and 2 * number > totals[product]:
            of = f"{totals[product]} {PRODUCT_NAMES[product]} servers"
            raise ChangeRefusedError(
                f"nothing was removed, as {number} of {of} would go, more than half: did CLN record check-ins? "
                f"If they are to go, give --max {len(go)}"
            )


def _show(session: Session, found: Candidates, outcome: str) -> None:
    """Show the list of what can go, which is to have that ``outcome``, and of what looks so and stays."""
    rows = [
        row_of_server(each, session.account.name) | {"outcome": what, "reason": reason}
        for what, listed in ((outcome, found.go), (SKIPPED, found.kept))
        for each, reason in listed
    ]
    session.output.rows(rows, "")
