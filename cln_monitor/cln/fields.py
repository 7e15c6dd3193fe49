"""The values of a row as CLN spells them: numbers that may be strings, dates, ids, flags.

A value is whatever JSON carries. What only describes a thing is left out where it cannot be read, so that one odd row
does not cost the whole list; without its id, or with a check-in that is no date, a list is not an answer of CLN.

What has a plural reads a field of all rows at once: of a hundred thousand values hardly one needs a closer look.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, are_plain, clean_text

from .dates import parse_date, parse_plain_dates
from .errors import BadAnswerError

LastCheckin: TypeAlias = float | UnsetType | None
"""When a server last checked in: Unix seconds, None for never, UNSET where CLN does not tell of any server."""
Limit: TypeAlias = int | str | None
"""Most servers of a key, 0 for unlimited; what CLN told where that is no number; None where it tells none."""

_ZERO_DATE = re.compile(r"\s*0000-00-00(?:[T ][0:.]*)?\s*(?:Z|UTC|GMT|[+-]00:?00)?\s*", re.ASCII | re.IGNORECASE)
_FIRST_DAY = 86400.0  # Unix seconds of 1970-01-02
_EXACT = 1 << 53  # from here on several whole numbers are the same float
_NUMBER = re.compile(r"\s*\d{1,15}(?:\.0*)?\s*", re.ASCII)
_LONGEST_QUOTE = 80


def text(value: object) -> str:
    """Return ``value`` as clean text; None, a list and an object are the empty text."""
    if isinstance(value, str):  # asked first, as all but a few are
        return clean_text(value)
    return "" if isinstance(value, list | dict) else clean_text(value)


def texts(values: list[Any]) -> list[str]:
    """Return each of ``values`` as :func:`text` does."""
    return values if are_plain(values) else [text(value) for value in values]


def identity(value: object, field: str, asked_for: str = "") -> str:
    """Return the id in ``value``, or the one that was ``asked_for``; a row without any is not an answer of CLN."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    is_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    if is_id and (cleaned := clean_text(value)):
        return cleaned
    if asked_for:
        return asked_for
    raise BadAnswerError(f"not an answer of CLN: a row without {field}")


def identities(values: list[Any], field: str) -> list[str]:
    """Return the id in each of ``values`` as :func:`identity` does."""
    return values if are_plain(values) else [identity(value, field) for value in values]


def count(value: object) -> int | None:
    """Return the whole number of 0 or more in ``value``, a number or its spelling; None for anything else."""
    if isinstance(value, str | int | float) and not isinstance(value, bool) and _NUMBER.fullmatch(str(value)):
        return int(float(value))
    return None


def counts(value: object, field: str) -> list[int]:
    """Return the whole numbers of the list in ``value``, each once; anything else is not an answer of CLN."""
    numbers = [count(each) for each in value] if isinstance(value, list) else [None]
    if None in numbers:
        raise BadAnswerError(f"not an answer of CLN: {field} is no list of numbers")
    return list(dict.fromkeys(number for number in numbers if number is not None))


def limit(value: object) -> Limit:
    """Return the limit of a key in ``value``: None where CLN tells none, the text of it where it is no whole number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = count(value)
    return quoted(value) if number is None else number


def quoted(value: object) -> str:
    """Return ``value`` as CLN told it, for people to read."""
    return clean_text(value if isinstance(value, str) else json.dumps(value), _LONGEST_QUOTE)


def flag(value: object) -> bool | None:
    """Return the truth value in ``value``, a boolean or its spelling; None for anything else."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def done(value: object) -> None:
    """Return when ``value`` is true or its spelling; anything else is not an answer to a change."""
    if flag(value) is not True:
        raise BadAnswerError("not an answer of CLN: data is neither true nor false")


def date(value: object, field: str) -> float | None:
    """Return the Unix seconds of the date in ``value``; None when it is missing or empty."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return parse_date(value)
    except (ValueError, OverflowError):
        pass
    raise BadAnswerError(f"not an answer of CLN: {field} is {clean_text(value, LONGEST_UNSCRUBBED)!r}, not a date")


def checkin(value: object, field: str) -> float | None:
    """Return the Unix seconds of the check-in in ``value``; None for never.

    Besides what :func:`date` takes for none, that is a date of zeros, or one at or before 1970-01-02: what databases
    and programs store for no date.
    """
    if isinstance(value, str) and _ZERO_DATE.fullmatch(value):
        return None
    seconds = date(value, field)
    return None if seconds is None or seconds <= _FIRST_DAY else seconds


def checkins(values: list[Any], field: str) -> list[LastCheckin]:
    """Return the Unix seconds of each of ``values``, the field of all rows of a list, as :func:`checkin` does.

    ``UNSET`` stands for a row without the field. Where that is none of them, it is never, as null is. Where it is all,
    CLN tells check-ins by another name, or no more, and nothing is known of any.
    """
    if without := values.count(UNSET):
        if without == len(values):
            return values
        values = [None if value is UNSET else value for value in values]
    try:
        parsed = parse_plain_dates(values)
    except (ValueError, TypeError):
        return [checkin(value, field) for value in values]
    return [None if seconds is None or seconds <= _FIRST_DAY else seconds for seconds in parsed]


def date_if_readable(value: object) -> float | None:
    """Return the Unix seconds of the date in ``value``; None when there is none, or none that can be read.

    One at or before 1970-01-02 is none, as for :func:`checkin`.
    """
    try:
        seconds = date(value, "")
    except BadAnswerError:
        return None
    return None if seconds is None or seconds <= _FIRST_DAY else seconds


def dates(values: list[Any], field: str) -> list[float | None]:
    """Return the Unix seconds in each of ``values`` as :func:`date` does."""
    try:
        return parse_plain_dates(values)
    except (ValueError, TypeError):
        return [date(value, field) for value in values]


def dates_if_readable(values: list[Any]) -> list[float | None]:
    """Return the Unix seconds in each of ``values`` as :func:`date_if_readable` does."""
    try:
        parsed = dates(values, "")
    except BadAnswerError:
        return [date_if_readable(value) for value in values]
    return [None if seconds is None or seconds <= _FIRST_DAY else seconds for seconds in parsed]
