"""When a read is sent again. A write is sent once, and never passes here."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from cln_monitor.cln.errors import ClnError, RateLimitedError

from .clock import Clock
from .deadline import Deadline
from .rate_limiter import LONGEST_PAUSE

T = TypeVar("T")

_RANDOM = random.SystemRandom()  # the shared generator, and its seed, belong to whoever uses this as a library
_ATTEMPTS = 3
_FIRST_BACK_OFF = 0.5  # seconds, doubled with each further attempt


def with_retries(ask: Callable[[], T], clock: Clock, deadline: Deadline) -> T:
    """Return what ``ask`` returns, which is called again after an error that may pass, three times in all.

    The pause between two attempts is what CLN asks for (``Retry-After``), else 0.5 s and then 1 s, within a half more
    or less. Raises the last ClnError: at once where it is not transient, or the pause would be longer than ``deadline``
    or five minutes.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return ask()
        except ClnError as error:
            pause = _pause_after(error, attempt)
            if attempt == _ATTEMPTS or not error.transient or pause > min(deadline.left(), LONGEST_PAUSE):
                raise
            clock.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def over_live_connection(send: Callable[[bool], T], deadline: Deadline) -> T:
    """Return what ``send`` returns, which is called at once again where its connection had died while it was idle.

    It is called with whether to open a new connection. Raises ClnError.
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
    # Jitter spreads our retries over CLN, it protects nothing.
    return _FIRST_BACK_OFF * (1 << (attempt - 1)) * _RANDOM.uniform(0.5, 1.5)
