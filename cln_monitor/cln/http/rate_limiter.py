"""How much we ask of CLN: calls a second to one host, calls in flight over all, and the pauses CLN asks for."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cln_monitor.cln.errors import RateLimitedError, TimedOutError
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline

from .fair_semaphore import FairSemaphore

LONGEST_PAUSE = 30.0
"""Seconds that a read waits out when CLN names a pause; it gives up at once on a longer one."""

_LONGEST_SILENCE = 3600.0  # seconds
_EARLY = 0.01  # seconds by which a sleep may end too soon without somebody having ended it


class RateLimiter:
    """Shared by all accounts. ``concurrency``: calls in flight; ``requests_per_second``: to one host, 0 for all."""

    def __init__(self, concurrency: int, requests_per_second: float, clock: Clock) -> None:
        self.concurrency = concurrency
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._places = FairSemaphore(concurrency)
        self._lock = threading.Lock()
        self._next_turn: dict[str, float] = {}
        self._next_send: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    def resize(self, concurrency: int, requests_per_second: float) -> None:
        """Hold others to new numbers from now on; when each host may be asked next stays as it is."""
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        if concurrency != self.concurrency:
            self.concurrency = concurrency
            self._places = FairSemaphore(concurrency)

    @contextmanager
    def turn(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Wait for the turn of one call to ``host``; raise TimedOutError when it cannot come before ``deadline``.

        Raises RateLimitedError without waiting when CLN wants a pause beyond ``LONGEST_PAUSE`` or ``deadline``.
        """
        places = self._places  # a call leaves the place that it took, also over a change of size
        # No place is held while waiting for a turn: the limit of one host must not hold up the calls to others.
        self._await_turn(host, deadline)
        while True:
            if not places.take(deadline.left()):
                problem = f"nothing was sent, as concurrency ({self.concurrency}) left it no place before the deadline"
                raise TimedOutError(problem, of_run=True)
            wait = self._wait_before_sending(host)
            if not wait:
                break
            places.leave()
            self._sleep(host, wait, deadline)
        try:
            yield
        finally:
            places.leave()

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to ``host`` for ``seconds`` from now, an hour at most: a slip must not silence us for a year."""
        with self._lock:
            until = self._clock.monotonic() + min(seconds, _LONGEST_SILENCE)
            self._paused_until[host] = max(until, self._paused_until.get(host, -math.inf))

    def _pause_left(self, host: str) -> float:
        return max(0.0, self._paused_until.get(host, -math.inf) - self._clock.monotonic())

    def _await_turn(self, host: str, deadline: Deadline) -> None:
        """Take the next turn of ``host``, and wait until it comes."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now + self._pause_left(host), self._next_turn.get(host, now))
            # Who cannot wait for a turn takes none, or those who come later would wait for nobody.
            self._check(host, turn - now, deadline)
            self._next_turn[host] = turn + self._gap
        self._sleep(host, turn - now, deadline)

    def _wait_before_sending(self, host: str) -> float:
        """Return 0 to send now; or the seconds to wait: in a pause, or when many got a place at the same moment."""
        with self._lock:
            now = self._clock.monotonic()
            send = max(now + self._pause_left(host), self._next_send.get(host, now))
            if send - now > _EARLY:
                return send - now
            self._next_send[host] = send + self._gap
            return 0.0

    def _check(self, host: str, wait: float, deadline: Deadline) -> None:
        left, pause = deadline.left(), self._pause_left(host)
        if pause > min(LONGEST_PAUSE, left):
            raise RateLimitedError(
                f"CLN asked for a pause of which {pause:.0f} s are left", retry_after=pause, transient=False
            )
        if not left:
            raise TimedOutError("nothing was sent, as the deadline had passed", of_run=True)
        if wait > left:
            problem = "nothing was sent, as requests_per_second left it no turn before the deadline"
            raise TimedOutError(problem, of_run=True)

    def _sleep(self, host: str, wait: float, deadline: Deadline) -> None:
        self._check(host, wait, deadline)
        ends_at = self._clock.monotonic() + wait
        self._clock.sleep(wait)
        if self._clock.monotonic() < ends_at - _EARLY:
            raise TimedOutError("nothing was sent, as we are being stopped")
