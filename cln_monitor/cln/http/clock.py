"""Time as an argument: the machine's clock, which tests replace by one they turn by hand."""

from __future__ import annotations

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
