"""When it is not safe to remove many servers: CLN has trouble, a list is incomplete, or too many would go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cln_monitor.cli.change import ChangeRefusedError
from cln_monitor.cli.session import Session, skew_in_words
from cln_monitor.cln import STATUS_FLAGS, AuthorizationError, ClnError
from cln_monitor.policy import LEAST_OF_MANY, MOST_SKEW

from .inventory import IMUNIFY, PRODUCT_NAMES, ListedKey
from .registrations import Standing

_MOST_NAMED = 3
_MOST_MISSING = 2  # servers of an Imunify key by which its count may be older than the list
_LEAST_OF_ALL = 2


def require_good_flags(session: Session) -> None:
    """Raise ChangeRefusedError while CLN may not record check-ins, or its clock is unknown or off."""
    try:
        status = session.client.status.flags()
    except ClnError as error:
        raise ChangeRefusedError(f"nothing was removed, as the status of CLN is unknown: {error}") from None
    if not STATUS_FLAGS & status.flags.keys():
        raise ChangeRefusedError("nothing was removed, as the status of CLN is unknown: it has none of the known flags")
    if bad := [name for name in status.flags if not status.is_good(name)]:
        raise ChangeRefusedError(
            f"nothing was removed, as CLN has trouble ({', '.join(bad)}) and may not record check-ins; try again later"
        )
    skew = session.client.clock_skew
    if skew is None:
        raise ChangeRefusedError(
            "nothing was removed, as the time by CLN's clock is unknown (no Date header), so ages are not to be trusted"
        )
    if abs(skew) > MOST_SKEW:
        raise ChangeRefusedError(
            f"nothing was removed, as {skew_in_words(skew)}, so ages are not to be trusted; set the clock"
        )


def refuse_incomplete(errors: Sequence[ClnError]) -> None:
    """Raise ChangeRefusedError where something could not be read, and the AuthorizationError among ``errors``."""
    if not errors:
        return
    for error in errors:
        if isinstance(error, AuthorizationError):
            raise error
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    raise ChangeRefusedError(f"nothing was removed, as the lists are incomplete: {errors[0]}{more}")


def require_whole(keys: Sequence[ListedKey], reported: Mapping[str, int | None]) -> None:
    """Raise ChangeRefusedError where CLN lists fewer servers of a key than it counts; ``reported``: by key."""
    short = [
        each
        for each in keys
        if each.product == IMUNIFY and (reported.get(each.key) or 0) - (each.used or 0) > _MOST_MISSING
    ]
    if short:
        named = ", ".join(f"{each.key} ({each.used} of {reported[each.key]})" for each in short[:_MOST_NAMED])
        raise ChangeRefusedError(f"nothing was removed, as CLN lists fewer servers than it counts: {named}")


def require_few(go: Sequence[Standing], stands: Sequence[Standing], most: int | None) -> None:
    """Raise ChangeRefusedError where more servers would ``go`` than ``most``, or too many of a product without it."""
    if most is not None:
        if len(go) > most:
            raise ChangeRefusedError(f"nothing was removed, as {len(go)} servers were found, more than --max {most}")
        return
    totals = Counter(each.server.product for each in stands)
    for product, number in Counter(each.server.product for each in go).items():
        total, name = totals[product], PRODUCT_NAMES[product]
        if number == total >= _LEAST_OF_ALL:
            what = f"all {total} {name} servers would go"
        elif number >= LEAST_OF_MANY and 2 * number > total:
            what = f"{number} of {total} {name} servers would go, more than half"
        else:
            continue
        raise ChangeRefusedError(
            f"nothing was removed, as {what}: did CLN record check-ins? If they are to go, give --max {len(go)}"
        )
