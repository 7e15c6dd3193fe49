"""Rate limits: calls per second to one host, concurrent calls to all hosts, and the pauses that CLN asks for."""

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
"""The longest pause in seconds that a read waits for; it fails at once if CLN asks for a longer one."""

_LONGEST_SILENCE = 3600.0  # seconds
_EARLY = 0.01  # seconds by which a sleep may end early without having been interrupted


class RateLimiter:
    """Limits the calls of all accounts. ``concurrency``: maximum concurrent calls to all hosts.

    ``requests_per_second``: maximum rate for each host, 0 for no limit.
    """

    def __init__(self, concurrency: int, requests_per_second: float, clock: Clock) -> None:
        self.concurrency = concurrency
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._slots = FairSemaphore(concurrency)
        self._lock = threading.Lock()
        self._next_turn: dict[str, float] = {}
        self._next_send: dict[str, float] = {}
        self._paused_until: dict[str, float] = {}

    def resize(self, concurrency: int, requests_per_second: float) -> None:
        """Apply new limits to later calls; the next call times of hosts do not change."""
        self._gap = 1 / requests_per_second if requests_per_second else 0.0
        if concurrency != self.concurrency:
            self.concurrency = concurrency
            self._slots = FairSemaphore(concurrency)

    @contextmanager
    def slot(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Wait until one call to ``host`` may be sent, and hold a connection slot for it.

        Raises TimedOutError if that is after ``deadline``, and RateLimitedError at once if CLN asked for a pause longer
        than ``LONGEST_PAUSE`` or ``deadline``.
        """
        slots = self._slots  # a call releases its slot to the semaphore it came from, also after a resize
        # No slot is held while waiting for a turn: the limit of one host must not delay calls to others.
        self._await_turn(host, deadline)
        while True:
            if not slots.acquire(deadline.left()):
                limit = f"concurrency: {self.concurrency}"
                problem = f"timed out waiting for a free connection slot ({limit}); request not sent"
                raise TimedOutError(problem, of_run=True)
            wait = self._wait_before_sending(host)
            if not wait:
                break
            slots.release()
            self._sleep(host, wait, deadline)
        try:
            yield
        finally:
            slots.release()

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to ``host`` for ``seconds``, at most an hour, so that a mistake of CLN does not last."""
        with self._lock:
            until = self._clock.monotonic() + min(seconds, _LONGEST_SILENCE)
            self._paused_until[host] = max(until, self._paused_until.get(host, -math.inf))

    def _pause_left(self, host: str) -> float:
        return max(0.0, self._paused_until.get(host, -math.inf) - self._clock.monotonic())

    def _await_turn(self, host: str, deadline: Deadline) -> None:
        """Reserve the next turn of ``host``, and wait for it."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now + self._pause_left(host), self._next_turn.get(host, now))
            # A call that cannot wait reserves no turn, which would delay later calls.
            self._check(host, turn - now, deadline)
            self._next_turn[host] = turn + self._gap
        self._sleep(host, turn - now, deadline)

    def _wait_before_sending(self, host: str) -> float:
        """Return 0 to send now, or the seconds to wait: in a pause, or if many calls got a slot at the same moment."""
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
                f"rate limited for another {pause:.0f} s; request not sent", retry_after=pause, transient=False
            )
        if not left:
            raise TimedOutError("deadline exceeded; request not sent", of_run=True)
        if wait > left:
            problem = "timed out waiting for the rate limit (requests_per_second); request not sent"
            raise TimedOutError(problem, of_run=True)

    def _sleep(self, host: str, wait: float, deadline: Deadline) -> None:
        self._check(host, wait, deadline)
        ends_at = self._clock.monotonic() + wait
        self._clock.sleep(wait)
        if self._clock.monotonic() < ends_at - _EARLY:
            raise TimedOutError("shutting down; request not sent")
