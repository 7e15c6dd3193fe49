"""The one place that decodes the dates of CLN."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# fromisoformat alone also takes 2014-W18-3, and milliseconds for a date of the year 1710.
_SHAPE = re.compile(r"\s*\d{4}-\d\d-\d\d(?:[T ]|\s*$)", re.ASCII)
_ZONE = re.compile(r"\s*(?:([+-]\d\d:?\d\d)|Z|UTC|GMT)$", re.IGNORECASE)


# Of a hundred thousand dates few are of the same minute, but many of the same day: a day is parsed once.
_MINUTES = {f"T{hour:02}:{minute:02}": 60.0 * (60 * hour + minute) for hour in range(24) for minute in range(60)}


def parse_date(text: str) -> float:
    """Return the Unix seconds of a date as CLN spells it (API document, "Date/time formatting").

    ``2014-04-30T11:26-0400`` is the documented spelling; seconds, fractions, a blank for the ``T``, ``Z``,
    ``+05:30`` and no zone at all (then UTC) are taken too. Raises ValueError on anything else.
    """
    since_midnight = _MINUTES.get(text[10:16])
    if since_midnight is None:
        return _parse(text)
    return _parse(f"{text[:10]}T00:00{text[16:]}") + since_midnight


@lru_cache(maxsize=1 << 13)
def _parse(text: str) -> float:
    if _SHAPE.match(text) is None:
        raise ValueError(f"{text!r} does not begin like a date")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _parse_with_loose_zone(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH).total_seconds()


def _parse_with_loose_zone(text: str) -> datetime:
    text = text.strip()
    zone = _ZONE.search(text)
    if zone is None:
        return datetime.fromisoformat(text)
    return datetime.fromisoformat(text[: zone.start()] + (zone[1] or "+00:00"))
