"""The clock of the machine, which tests replace by one that they set."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """The time functions that the client uses."""

    def time(self) -> float:
        """Return Unix seconds."""

    def monotonic(self) -> float:
        """Return monotonic seconds from an arbitrary start."""

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or earlier when the process is stopping."""


# A clock that includes suspend, where available: after it, data is older by that time.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """The clock of the machine. After :meth:`stop` sleeps end at once, so that no back-off delays a stop."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def time(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Return monotonic seconds, including the time in which the machine was suspended."""
        return time.clock_gettime(_MONOTONIC)

    def sleep(self, seconds: float) -> None:
        """Return after ``seconds``, or at once when the clock is stopped."""
        if seconds > 0:
            self._stopped.wait(seconds)

    def stop(self) -> None:
        """End all sleeps, and prevent further ones."""
        self._stopped.set()
