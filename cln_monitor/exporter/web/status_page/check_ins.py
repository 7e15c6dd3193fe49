"""The sorted last check-ins of servers, so that counting them is fast for a large fleet."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The last check-ins of servers: sorted ``times``, the number that ``never`` checked in, and of ``unknown`` ones.

    ``registered`` are the sorted times of registration of the servers that never checked in, if CLN reports them.
    """

    times: Sequence[float]
    never: int
    unknown: int = 0
    registered: Sequence[float] = ()

    def before(self, moment: float) -> int:
        """Return how many servers last checked in before ``moment``."""
        return bisect_left(self.times, moment)

    def never_since(self, moment: float) -> int:
        """Return how many servers were registered before ``moment`` and never checked in."""
        return bisect_left(self.registered, moment)

    @property
    def undated(self) -> int:
        """The number that never checked in and have no time of registration."""
        return self.never - len(self.registered)

    @property
    def total(self) -> int:
        """The number of servers."""
        return len(self.times) + self.never + self.unknown


def check_ins_of(servers: Sequence[Any]) -> CheckIns:
    """Return the check-ins of ``servers``, which have a ``last_checkin`` and may have a ``created`` attribute."""
    moments = [server.last_checkin for server in servers]
    times = sorted([moment for moment in moments if moment])
    unknown = moments.count(UNSET)
    never = len(moments) - len(times) - unknown
    registered = (
        [getattr(server, "created", None) for server in servers if server.last_checkin is None] if never else []
    )
    return CheckIns(times, never, unknown, sorted(moment for moment in registered if moment))
