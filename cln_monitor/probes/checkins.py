"""How long ago servers checked in."""

from __future__ import annotations

from collections.abc import Iterable

from cln_monitor.cln import Server

FRESH, STALE, NEVER = CHECKINS = ("fresh", "stale", "never")
"""What a server's last check-in can be: recent, too long ago, or missing altogether."""


def count_checkins(servers: Iterable[Server], now: float, stale_after: float) -> dict[str, int]:
    """Return the number of ``servers`` by check-in; over ``stale_after`` seconds before ``now`` is stale."""
    total = stale = never = 0
    for server in servers:
        total += 1
        if server.last_checkin is None:
            never += 1
        elif now - server.last_checkin > stale_after:
            stale += 1
    return {FRESH: total - stale - never, STALE: stale, NEVER: never}
