"""How long ago servers checked in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import UNSET

from cln_monitor.cln import Server

FRESH, STALE, NEVER, UNKNOWN = CHECKINS = ("fresh", "stale", "never", "unknown")
"""What a server's last check-in can be: recent, too long ago, missing altogether, or not to be told."""

MOST_AHEAD = 3600.0
"""Seconds that a check-in may be ahead of CLN's own clock: clocks differ, by that much they do not."""

S = TypeVar("S", bound=msgspec.Struct)


def count_checkins(servers: Iterable[Server], now: float, stale_after: float) -> dict[str, int]:
    """Return the number of ``servers`` by check-in; over ``stale_after`` seconds before ``now`` is stale."""
    total = stale = never = unknown = 0
    for server in servers:
        total += 1
        if server.last_checkin is None:
            never += 1
        elif server.last_checkin is UNSET:
            unknown += 1
        elif now - server.last_checkin > stale_after:
            stale += 1
    return {FRESH: total - stale - never - unknown, STALE: stale, NEVER: never, UNKNOWN: unknown}


def without_ahead(servers: list[S], cln_now: float) -> tuple[list[S], list[S]]:
    """Return ``servers`` without the check-ins that are ahead of CLN's clock, and those that have such a one.

    ``cln_now`` is the Unix time by that clock. The list is the same where none is ahead.
    """
    latest = cln_now + MOST_AHEAD
    ahead = [server for server in servers if (told := server.last_checkin) and told > latest]  # type: ignore[attr-defined] # of servers
    if not ahead:
        return servers, []
    are_ahead = {id(server) for server in ahead}
    kept = [msgspec.structs.replace(each, last_checkin=UNSET) if id(each) in are_ahead else each for each in servers]
    return kept, ahead
