"""The last check-ins of servers, in order, so that a page of a large fleet only has to count."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The last check-ins of servers: their ``times`` in order, how many ``never`` did, of how many it is ``unknown``.

    ``registered`` are the times, in order, at which those that never did were registered, as far as CLN tells.
    """

    times: Sequence[float]
    never: int
    unknown: int = 0
    registered: Sequence[float] = ()

    def before(self, moment: float) -> int:
        """Return how many servers checked in last before ``moment``."""
        return bisect_left(self.times, moment)

    def never_since(self, moment: float) -> int:
        """Return how many servers were registered before ``moment`` and never checked in."""
        return bisect_left(self.registered, moment)

    @property
    def undated(self) -> int:
        """How many never checked in and have no date of registration."""
        return self.never - len(self.registered)

    @property
    def total(self) -> int:
        """The number of servers."""
        return len(self.times) + self.never + self.unknown


def check_ins_of(servers: Sequence[Any]) -> CheckIns:
    """Return the check-ins of ``servers``, which have ``last_checkin`` and may have ``created``."""
    moments = [server.last_checkin for server in servers]
    times = sorted([moment for moment in moments if moment])
    unknown = moments.count(UNSET)
    never = len(moments) - len(times) - unknown
    registered = [getattr(each, "created", None) for each in servers if each.last_checkin is None] if never else []
    return CheckIns(times, never, unknown, sorted(moment for moment in registered if moment))
