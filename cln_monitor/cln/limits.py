"""How much we ask of CLN: calls a second to one host, calls in flight over all, and the pauses CLN asks for."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .clock import Clock, Deadline
from .errors import RateLimited, TimedOut

LONGEST_PAUSE = 30.0
"""Seconds that a read waits out when CLN names a pause; it gives up at once on a longer one."""


class Limits:
    """Shared by all accounts. ``concurrency``: calls in flight; ``requests_per_second``: to one host, 0 for all."""

    def __init__(self, concurrency: int, requests_per_second: float, clock: Clock) -> None:
        self.concurrency = concurrency
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._in_flight = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._next_slot: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Wait for the turn of one call to ``host``; raise TimedOut when it cannot come before ``deadline``.

        Raises RateLimited without waiting while CLN wants a pause longer than ``LONGEST_PAUSE``.
        """
        while True:
            # The wait for a slot comes before the place in flight: one slow host must not hold the places of others.
            wait = self._reserve(host)
            if wait > deadline.left() or not deadline.left():
                raise TimedOut("the limit of calls a second left no turn before the deadline")
            self._clock.sleep(wait)
            if not self._in_flight.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
                raise TimedOut(f"{self.concurrency} calls were in flight until the deadline")
            if not self._pause_left(host):
                break
            self._in_flight.release()
        try:
            yield
        finally:
            self._in_flight.release()

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to ``host`` for ``seconds`` from now."""
        with self._lock:
            until = self._clock.monotonic() + seconds
            self._paused_until[host] = max(until, self._paused_until.get(host, -math.inf))

    def _pause_left(self, host: str) -> float:
        return max(0.0, self._paused_until.get(host, -math.inf) - self._clock.monotonic())

    def _reserve(self, host: str) -> float:
        with self._lock:
            now = self._clock.monotonic()
            pause = self._pause_left(host)
            if pause > LONGEST_PAUSE:
                raise RateLimited(
                    f"CLN asked for a pause of which {pause:.0f} s are left",
                    retry_after=pause,
                    transient=False,
                )
            slot = max(now + pause, self._next_slot.get(host, now))
            self._next_slot[host] = slot + self._gap
            return slot - now
