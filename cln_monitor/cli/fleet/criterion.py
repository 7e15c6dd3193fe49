"""What makes a server one that can go, and what keeps it all the same."""

from __future__ import annotations

from typing import NamedTuple

from cln_monitor.durations import format_age
from cln_monitor.policy import DAY, NEVER_AFTER
from cln_monitor.probes import NEVER, UNKNOWN

from .registrations import Standing, last_seen

LEAST_STALE = 3 * DAY
"""Seconds of silence after which a server is removed at the earliest."""
LEAST_SUPERSEDED = DAY
"""Seconds of silence after which a server that was replaced is removed at the earliest, whatever counts as silent."""


class Criterion(NamedTuple):
    """Which servers go: those silent for ``stale`` seconds, those that ``never`` checked in, or the ``superseded``."""

    stale: float | None
    never: bool
    superseded: bool

    def fits(self, each: Standing) -> bool:
        """Tell whether a server looks as if it can go."""
        if self.stale is not None:
            return each.age is not None and each.age > self.stale
        return each.checkin == NEVER if self.never else each.successor is not None

    def objection(self, each: Standing, now: float) -> str:
        """Return why a server that looks so stays all the same; empty where it can go."""
        if self.superseded and each.age is not None and each.age < LEAST_SUPERSEDED:
            return f"last check-in {format_age(each.age)} ago, less than {format_age(LEAST_SUPERSEDED)}"
        created = each.server.created
        if self.never and created is None:
            return "CLN does not tell when it was registered"
        if self.never and created is not None and now - created < NEVER_AFTER:
            return f"registered {format_age(now - created)} ago, it may still check in"
        return ""

    def changed(self, each: Standing) -> str:
        """Return why a server, read again, does not look as if it can go any more."""
        if each.checkin == UNKNOWN:
            return "CLN no longer tells its last check-in"
        if self.superseded:
            return f"no longer superseded: {each.rival or 'the newer registration is gone, or silent itself'}"
        return "it no longer fits what was asked for"

    def reason(self, each: Standing, now: float) -> str:
        """Return why a server can go."""
        if not self.superseded or each.successor is None:
            return last_seen(each, now)
        new = each.successor
        since = format_age(now - (new.created or now))
        return f"superseded: {new.ip} registered again {since} ago as {new.server_id}; {last_seen(each, now)}"
