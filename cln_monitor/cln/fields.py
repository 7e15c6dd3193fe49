"""The values of a row as CLN spells them: numbers that may be strings, dates, ids, flags."""

from __future__ import annotations

import re

from .dates import parse_date
from .errors import BadAnswer
from .text import LONGEST_UNSCRUBBED, clean_text

Text = str | int | float | bool | None
"""What stands where the API document says "string"."""

_NUMBER = re.compile(r"\s*\d{1,15}(?:\.0*)?\s*", re.ASCII)


def text(value: Text) -> str:
    """Return ``value`` as clean text, None as the empty text."""
    return clean_text(value)


def identity(value: Text, field: str) -> str:
    """Return the id in ``value``; a row without one is not an answer of CLN."""
    if isinstance(value, str | int) and not isinstance(value, bool) and (cleaned := clean_text(value)):
        return cleaned
    raise BadAnswer(f"not an answer of CLN: a row without {field}")


def count(value: Text, field: str) -> int | None:
    """Return the whole number in ``value``, a number or its spelling; None when there is none."""
    if value is None or value == "":
        return None
    if not isinstance(value, bool) and _NUMBER.fullmatch(str(value)):
        return int(float(value))
    raise BadAnswer(
        f"not an answer of CLN: {field} is {clean_text(value, LONGEST_UNSCRUBBED)!r}, not a number of 0 or more"
    )


def flag(value: Text) -> bool | None:
    """Return the truth value in ``value``, a boolean or its spelling; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def date(value: Text, field: str) -> float | None:
    """Return the Unix seconds of the date in ``value``; None when it is missing or empty."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return parse_date(value)
    except (ValueError, OverflowError):
        pass
    raise BadAnswer(f"not an answer of CLN: {field} is {clean_text(value, LONGEST_UNSCRUBBED)!r}, not a date")
