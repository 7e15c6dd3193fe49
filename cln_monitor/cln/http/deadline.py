"""The deadline of a run of several calls."""

from __future__ import annotations

import math

from .clock import Clock


class Deadline:
    """The deadline of a run of several calls; each call gets the remaining time.

    ``name`` is the option that sets it, for the error of a call that times out.
    """

    def __init__(self, seconds: float, clock: Clock, name: str = "") -> None:
        self.name = name
        self._clock = clock
        self._ends_at = clock.monotonic() + seconds

    def left(self) -> float:
        """Return the remaining seconds, 0 after the deadline."""
        return max(0.0, self._ends_at - self._clock.monotonic())

    @classmethod
    def never(cls, clock: Clock) -> Deadline:
        """Return a deadline that never comes."""
        return cls(math.inf, clock)
