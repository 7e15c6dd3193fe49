"""Retry reads. A write is sent once and is never retried."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from cln_monitor.cln.errors import ClnError, RateLimitedError

from .clock import Clock
from .deadline import Deadline
from .rate_limiter import LONGEST_PAUSE

T = TypeVar("T")

_RANDOM = random.SystemRandom()  # the shared generator, and its seed, belong to the application
_ATTEMPTS = 3
_FIRST_BACK_OFF = 0.5  # seconds, doubled with each further attempt


def with_retries(send: Callable[[], T], clock: Clock, deadline: Deadline) -> T:
    """Return ``send()``, which is called up to three times if it raises a transient error.

    The pause between two attempts is that of ``Retry-After``, else 0.5 s and then 1 s, plus or minus up to a half.
    Raises the last ClnError: at once if it is not transient, or if the pause would be longer than the rest of
    ``deadline`` or 30 s.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return send()
        except ClnError as error:
            pause = _pause_after(error, attempt)
            if attempt == _ATTEMPTS or not error.transient or pause > min(deadline.left(), LONGEST_PAUSE):
                raise
            clock.sleep(pause)
    raise AssertionError("unreachable: the last attempt returns or raises")


def with_reconnect(send: Callable[[bool], T], deadline: Deadline) -> T:
    """Return ``send(over_new)``, which is called again at once if an idle connection turns out to be dead.

    ``over_new``, whether to open a new connection, is True for the second call. Raises ClnError.
    """
    try:
        return send(False)
    except ClnError as error:
        if not error.connection_was_stale or not deadline.left():
            raise
        return send(True)


def _pause_after(error: ClnError, attempt: int) -> float:
    if isinstance(error, RateLimitedError) and error.retry_after is not None:
        return error.retry_after
    # The jitter spreads retries; it need not be unpredictable.
    return _FIRST_BACK_OFF * (1 << (attempt - 1)) * _RANDOM.uniform(0.5, 1.5)
