"""Read the dates in a response: the skew of CLN's clock, and the wait in ``Retry-After``.

A response with an ``Age`` comes from a cache (RFC 9111, section 4.2.3): its ``Date`` is when CLN generated it, and
``Date`` plus ``Age`` may be the clock of the cache. Such a response says nothing about CLN's clock, except with
``Age: 0``, as it was then generated or validated just now.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from urllib3 import HTTPHeaderDict

_EARLIEST, _LATEST = 1577836800.0, 4102444800.0  # 2020 and 2100: a clock outside this range was never set


def http_date(text: str) -> float | None:
    """Return the Unix seconds of an HTTP date, in UTC, or None for an invalid date."""
    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def clock_skew(headers: HTTPHeaderDict, now: float) -> float | None:
    """Return CLN's clock minus ``now``, the local time, in seconds; None if the response has no usable date."""
    date = _date_of(headers)
    return None if date is None or _is_from_cache(headers) else date - now


def retry_after_seconds(headers: HTTPHeaderDict, now: float) -> float | None:
    """Return the wait in ``Retry-After`` in seconds, or None if it is missing or invalid.

    A date is relative to the ``Date`` of the same response, so that neither CLN's nor the local clock needs to be
    right. In a response from a cache it is relative to ``now`` if that is between the two dates, as a part of the wait
    has passed. Without a ``Date`` it is relative to ``now``.
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
    """Return the Unix seconds of ``Date``, or None without a plausible one."""
    texts = set(headers.getlist("Date"))
    date = http_date(texts.pop()) if len(texts) == 1 else None
    return date if date is not None and _EARLIEST <= date < _LATEST else None


def _is_from_cache(headers: HTTPHeaderDict) -> bool:
    return any(text.strip(" \t0") or not text.strip() for text in headers.getlist("Age"))
