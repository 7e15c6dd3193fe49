"""Time as an argument: the machine's clock, which tests replace by one they turn by hand."""

from __future__ import annotations

import math
import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What our code asks of time."""

    def time(self) -> float:
        """Return Unix seconds."""

    def monotonic(self) -> float:
        """Return seconds that never jump, from an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or earlier once we stop."""


# Where there is one, a clock that goes on while the machine sleeps: what was read before that is older by as much.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The machine's clock. After :meth:`stop` nobody sleeps any more, so that a stop waits for no back-off."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def time(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never jump, those in which the machine slept among them."""
        return time.clock_gettime(_MONOTONIC)

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or at once when the clock is stopped."""
        if seconds > 0:
            self._stopped.wait(seconds)

    def stop(self) -> None:
        """Wake up all sleepers and let none sleep again."""
        self._stopped.set()


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
