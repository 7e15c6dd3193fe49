"""The criterion by which servers are removed, and its exceptions."""

from __future__ import annotations

from typing import NamedTuple

from cln_monitor.durations import format_age
from cln_monitor.policy import DAY, NEVER, NEVER_AFTER, UNKNOWN

from .registrations import ServerStatus, describe_checkin

LEAST_STALE = 3 * DAY
"""The shortest time without a check-in, in seconds, after which a server can be removed."""
LEAST_SUPERSEDED = DAY
"""The same for a superseded server, even if ``stale_after`` is shorter."""


class Criterion(NamedTuple):
    """Selects servers silent for ``stale`` seconds, servers that ``never`` checked in, or ``superseded`` servers."""

    stale: float | None
    never: bool
    superseded: bool

    def applies(self, status: ServerStatus) -> bool:
        """Return whether the criterion applies to a server."""
        if self.stale is not None:
            return status.age is not None and status.age > self.stale
        return status.checkin == NEVER if self.never else status.successor is not None

    def objection(self, status: ServerStatus, now: float) -> str:
        """Return why a server is kept although the criterion applies to it; empty if it can be removed."""
        if self.superseded and status.age is not None and status.age < LEAST_SUPERSEDED:
            return f"last check-in {format_age(status.age)} ago, less than {format_age(LEAST_SUPERSEDED)}"
        created = status.server.created
        if self.never and created is None:
            return "CLN does not report when it was registered"
        if self.never and created is not None and now - created < NEVER_AFTER:
            return f"registered {format_age(now - created)} ago, it may still check in"
        return ""

    def changed(self, status: ServerStatus) -> str:
        """Return why the criterion no longer applies to a server that was read again."""
        if status.checkin == UNKNOWN:
            return "CLN no longer reports its last check-in"
        if self.superseded:
            return f"no longer superseded: {status.rival or 'the newer registration was removed or is silent'}"
        return "the condition no longer applies"

    def reason(self, status: ServerStatus, now: float) -> str:
        """Return why a server can be removed."""
        if not self.superseded or status.successor is None:
            return describe_checkin(status, now)
        new = status.successor
        since = format_age(now - (new.created or now))
        return f"superseded: {new.ip} registered again {since} ago as {new.server_id}; {describe_checkin(status, now)}"
