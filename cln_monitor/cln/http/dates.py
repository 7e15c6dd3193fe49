"""What the dates of an answer say: how far CLN's clock is from ours, and how long ``Retry-After`` asks to wait.

An answer with an ``Age`` comes from a cache (RFC 9111, section 4.2.3): its ``Date`` is when CLN made it, and ``Date``
plus ``Age`` may be the clock of the cache. So such an answer says nothing about CLN's clock, whatever its ``Age``;
with ``Age: 0`` it was made or confirmed just now.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime

from urllib3 import HTTPHeaderDict

_EARLIEST, _LATEST = 1577836800.0, 4102444800.0  # 2020 and 2100: a clock outside of them was never set


def http_date(text: str) -> float | None:
    """Return the Unix seconds of an HTTP date, which is in UTC, or None for what is none."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def clock_skew(headers: HTTPHeaderDict, now: float) -> float | None:
    """Return CLN's clock less ours in seconds, None when the answer does not tell; ``now`` is the time by ours."""
    date = _date_of(headers)
    return None if date is None or _is_from_cache(headers) else date - now


def retry_after_seconds(headers: HTTPHeaderDict, now: float) -> float | None:
    """Return how many seconds ``Retry-After`` asks to wait, None when it asks for no wait that can be read.

    A date is one of CLN's clock, so it counts from the ``Date`` of the same answer: a clock that is wrong, theirs or
    ours, changes nothing. In an answer from a cache some of the wait has passed: it counts from ``now`` where that
    lies between the two. Without a ``Date`` it counts from ``now``.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text[:9])
    until = http_date(text)
    if until is None:
        return None
    date = _date_of(headers)
    if date is None or (_is_from_cache(headers) and date <= now <= until):
        date = now
    return max(0.0, until - date)


def _date_of(headers: HTTPHeaderDict) -> float | None:
    """Return the Unix seconds of ``Date``, None without one that can be meant."""
    texts = set(headers.getlist("Date"))
    date = http_date(texts.pop()) if len(texts) == 1 else None
    return date if date is not None and _EARLIEST <= date < _LATEST else None


def _is_from_cache(headers: HTTPHeaderDict) -> bool:
    return any(text.strip(" \t0") or not text.strip() for text in headers.getlist("Age"))
