"""A clock that tests turn by hand."""

from __future__ import annotations

import threading

NOW = 1_714_490_800.0
"""2024-04-30T15:26:40Z, when tests begin."""


class FakeClock:
    """Stands still until it is advanced; who sleeps on it advances it, and is back at once. Safe between threads.

    ``slept`` holds the seconds of all sleeps that were longer than nothing.
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
        """Return the seconds since the clock was made."""
        return self._now - self._start

    def sleep(self, seconds: float) -> None:
        """Be ``seconds`` later at once."""
        if seconds > 0:
            with self._lock:
                self.slept.append(seconds)
            self.advance(seconds)

    def set(self, seconds: float) -> None:
        """Set the time of day ``seconds`` forward, or back; no time goes by."""
        self._set_by += seconds

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` go by."""
        with self._lock:
            self._now += seconds


class TickingClock(FakeClock):
    """Advances by ``tick`` seconds whenever somebody looks at it, so that to look often takes long."""

    tick = 0.0

    def monotonic(self) -> float:
        """Return the seconds since the clock was made."""
        self.advance(self.tick)
        return super().monotonic()
