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

_LONGEST_SILENCE = 3600.0  # seconds
_EARLY = 0.01  # seconds by which a sleep may end too soon without somebody having ended it


class Limits:
    """Shared by all accounts. ``concurrency``: calls in flight; ``requests_per_second``: to one host, 0 for all."""

    def __init__(self, concurrency: int, requests_per_second: float, clock: Clock) -> None:
        self.concurrency = concurrency
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._in_flight = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._next_turn: dict[str, float] = {}
        self._next_send: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    @contextmanager
    def turn(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Wait for the turn of one call to ``host``; raise TimedOut when it cannot come before ``deadline``.

        Raises RateLimited without waiting when CLN wants a pause beyond ``LONGEST_PAUSE`` or ``deadline``.
        """
        while True:
            # The wait for a turn comes before the place in flight: one slow host must not hold the places of others.
            self._await(self._next_turn, host, deadline)
            if not self._in_flight.acquire(timeout=min(deadline.left(), threading.TIMEOUT_MAX)):
                raise TimedOut(
                    f"nothing was sent, as concurrency ({self.concurrency}) left it no place before the deadline"
                )
            if not self._pause_left(host):
                break
            self._in_flight.release()
        try:
            # Calls whose turn came while all places were taken must not be sent in one burst.
            self._await(self._next_send, host, deadline)
            yield
        finally:
            self._in_flight.release()

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to ``host`` for ``seconds`` from now, an hour at most: a slip must not silence us for a year."""
        with self._lock:
            until = self._clock.monotonic() + min(seconds, _LONGEST_SILENCE)
            self._paused_until[host] = max(until, self._paused_until.get(host, -math.inf))

    def _pause_left(self, host: str) -> float:
        return max(0.0, self._paused_until.get(host, -math.inf) - self._clock.monotonic())

    def _await(self, slots: dict[str, float], host: str, deadline: Deadline) -> None:
        """Take the next slot of ``host`` in ``slots``, and wait until it comes."""
        with self._lock:
            now, left = self._clock.monotonic(), deadline.left()
            pause = self._pause_left(host)
            if pause > min(LONGEST_PAUSE, left):
                raise RateLimited(
                    f"CLN asked for a pause of which {pause:.0f} s are left",
                    retry_after=pause,
                    transient=False,
                )
            slot = max(now + pause, slots.get(host, now))
            # Who cannot wait for a slot takes none, or those who come later would wait for nobody.
            if not left:
                raise TimedOut("nothing was sent, as the deadline had passed")
            if slot - now > left:
                raise TimedOut("nothing was sent, as requests_per_second left it no turn before the deadline")
            slots[host] = slot + self._gap
        self._clock.sleep(slot - now)
        if self._clock.monotonic() < slot - _EARLY:
            raise TimedOut("nothing was sent, as we are being stopped")
