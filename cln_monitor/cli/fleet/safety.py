"""Safety checks before servers are removed: the status of CLN, the completeness of lists, the number of servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cln_monitor.cli.change import ChangeRefusedError
from cln_monitor.cln import STATUS_FLAGS, AuthorizationError, ClnError
from cln_monitor.durations import format_skew
from cln_monitor.policy import LEAST_OF_MANY, MOST_SKEW

from .inventory import IMUNIFY, PRODUCT_NAMES, ListedKey
from .registrations import ServerStatus

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

_MOST_NAMED = 3
_MOST_MISSING = 2  # servers by which the list of an Imunify key may be shorter than its count, which is older
_LEAST_OF_ALL = 2


def require_good_flags(session: Session) -> None:
    """Raise ChangeRefusedError if CLN may not record check-ins, or its clock is unknown or off."""
    try:
        status = session.client.status.flags()
    except ClnError as error:
        raise ChangeRefusedError(f"nothing was removed: the status of CLN is unknown: {error}") from None
    if not STATUS_FLAGS & status.flags.keys():
        raise ChangeRefusedError("nothing was removed: the status of CLN is unknown: it has none of the known flags")
    if bad := [name for name in status.flags if not status.is_good(name)]:
        raise ChangeRefusedError(
            f"nothing was removed: CLN reports problems ({', '.join(bad)}) and may not record check-ins; retry later"
        )
    skew = session.client.clock_skew
    if skew is None:
        raise ChangeRefusedError(
            "nothing was removed: the time of CLN's clock is unknown (no Date header), so check-in ages are unreliable"
        )
    if abs(skew) > MOST_SKEW:
        raise ChangeRefusedError(
            f"nothing was removed: CLN's clock is {format_skew(skew)}, so check-in ages are unreliable; set the clock"
        )


def refuse_incomplete(errors: Sequence[ClnError]) -> None:
    """Raise ChangeRefusedError if there are ``errors`` of reads, or the AuthorizationError among them."""
    if not errors:
        return
    for error in errors:
        if isinstance(error, AuthorizationError):
            raise error
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise ChangeRefusedError(f"nothing was removed: the lists are incomplete: {errors[0]}{more}")


def require_complete(keys: Sequence[ListedKey], reported: Mapping[str, int | None]) -> None:
    """Raise ChangeRefusedError if CLN lists fewer servers of a key than the count ``reported`` by key."""
    short = [
        key for key in keys if key.product == IMUNIFY and (reported.get(key.key) or 0) - (key.used or 0) > _MOST_MISSING
    ]
    if short:
        named = ", ".join(f"{key.key} ({key.used} of {reported[key.key]})" for key in short[:_MOST_NAMED])
        raise ChangeRefusedError(f"nothing was removed: CLN lists fewer servers than it counts: {named}")


def require_few(selected: Sequence[ServerStatus], statuses: Sequence[ServerStatus], most: int | None) -> None:
    """Raise ChangeRefusedError if more than ``most`` servers are ``selected``, or, if None, too many of a product."""
    if most is not None:
        if len(selected) > most:
            raise ChangeRefusedError(f"nothing was removed: found {len(selected)} servers, more than --max {most}")
        return
    totals = Counter(status.server.product for status in statuses)
    for product, number in Counter(status.server.product for status in selected).items():
        total, name = totals[product], PRODUCT_NAMES[product]
        if number == total >= _LEAST_OF_ALL:
            affected = f"all {total} {name} servers"
        elif number >= LEAST_OF_MANY and 2 * number > total:
            affected = f"{number} of {total} {name} servers, more than half,"
        else:
            continue
        raise ChangeRefusedError(
            f"nothing was removed: {affected} would be removed; check whether CLN records check-ins, or use "
            f"--max {len(selected)} to remove them"
        )
