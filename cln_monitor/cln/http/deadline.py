"""The moment at which a run of several calls must be over."""

from __future__ import annotations

import math

from .clock import Clock


class Deadline:
    """The moment at which a run of several calls must be over; each call gets what is left of it.

    ``name`` is what a person sets it by, for the error of a call that would have needed more of it.
    """

    def __init__(self, seconds: float, clock: Clock, name: str = "") -> None:
        self.name = name
        self._clock = clock
        self._ends_at = clock.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 when it has passed."""
        return max(0.0, self._ends_at - self._clock.monotonic())

    @classmethod
    def never(cls, clock: Clock) -> Deadline:
        """Return a deadline that does not come."""
        return cls(math.inf, clock)
