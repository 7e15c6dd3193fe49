"""Clocks that are controlled by tests."""

from __future__ import annotations

import threading

NOW = 1_714_490_800.0
"""2024-04-30T15:26:40Z, when tests begin."""


class FakeClock:
    """A clock that only moves when it is advanced; a sleep advances it and returns at once. Thread-safe.

    ``slept`` has the seconds of all sleeps longer than 0.
    """

    def __init__(self, now: float = NOW) -> None:
        self._start = self._now = now
        self._set_by = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def time(self) -> float:
        """Return Unix seconds."""
        return self._now + self._set_by

    def monotonic(self) -> float:
        """Return the seconds since the clock was created."""
        return self._now - self._start

    def sleep(self, seconds: float) -> None:
        """Advance the clock by ``seconds`` at once."""
        if seconds > 0:
            with self._lock:
                self.slept.append(seconds)
            self.advance(seconds)

    def set(self, seconds: float) -> None:
        """Set the time of day forward or back by ``seconds``, without advancing the monotonic clock."""
        self._set_by += seconds

    def advance(self, seconds: float) -> None:
        """Advance the clock by ``seconds``."""
        with self._lock:
            self._now += seconds


class TickingClock(FakeClock):
    """A clock that advances by ``tick`` seconds with each reading."""

    tick = 0.0

    def monotonic(self) -> float:
        """Return the seconds since the clock was created."""
        self.advance(self.tick)
        return super().monotonic()
