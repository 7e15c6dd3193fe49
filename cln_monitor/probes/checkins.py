"""The ages of last check-ins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import UNSET

from cln_monitor.cln import Server
from cln_monitor.policy import FRESH, MOST_AHEAD, NEVER, STALE, UNKNOWN

S = TypeVar("S", bound=msgspec.Struct)


def count_checkins(servers: Iterable[Server], now: float, stale_after: float) -> dict[str, int]:
    """Return the number of ``servers`` by check-in state.

    A check-in more than ``stale_after`` seconds before ``now``, in Unix seconds, is stale.
    """
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
    """Return ``servers`` with check-ins ahead of CLN's clock unset, and the servers that had one.

    ``cln_now`` is the Unix time by CLN's clock. The first list is ``servers`` itself if no check-in is ahead.
    """
    latest = cln_now + MOST_AHEAD
    ahead = [server for server in servers if (time := server.last_checkin) and time > latest]  # type: ignore[attr-defined] # a bound would exclude licenses
    if not ahead:
        return servers, []
    are_ahead = {id(server) for server in ahead}
    corrected = [
        msgspec.structs.replace(server, last_checkin=UNSET) if id(server) in are_ahead else server for server in servers
    ]
    return corrected, ahead
