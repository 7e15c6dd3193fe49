"""Read the fields of a row in CLN's formats: numbers that may be strings, dates, ids, flags.

A value is any JSON value. A descriptive field that cannot be read is left empty, so that one odd row does not spoil
the whole list; a row without its id, or with a check-in that is not a date, makes the list a bad answer.

A function with a plural name reads one field of all rows at once, as few of a hundred thousand values are unusual.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, are_plain, clean_text, shorten

from .dates import parse_date, parse_plain_dates, parse_shared_dates
from .errors import BadAnswerError

LastCheckin: TypeAlias = float | UnsetType | None
"""The last check-in of a server: Unix seconds, None for never, UNSET if CLN reports it for no server."""
Limit: TypeAlias = int | str | None
"""The limit of a key in servers, 0 for unlimited; a string if CLN reports another value; None if it reports none."""

_ZERO_DATE = re.compile(r"\s*0000-00-00(?:[T ][0:.]*)?\s*(?:Z|UTC|GMT|[+-]00:?00)?\s*", re.ASCII | re.IGNORECASE)
_FIRST_DAY = 86400.0  # Unix seconds of 1970-01-02
_EXACT = 1 << 53  # above this, several whole numbers have the same float
_NUMBER = re.compile(r"\s*\d{1,15}(?:\.0*)?\s*", re.ASCII)
_LONGEST_QUOTE = 80
_LONGEST_HOST_NAME = 253  # RFC 1035, section 2.3.4, without the dot at the end


def text(value: object) -> str:
    """Return ``value`` as clean text; None, a list and an object give ""."""
    if isinstance(value, str):  # the most frequent type first
        return clean_text(value)
    return "" if isinstance(value, list | dict) else clean_text(value)


def texts(values: list[Any]) -> list[str]:
    """Return each of ``values`` as :func:`text` does."""
    return values if are_plain(values) else [text(value) for value in values]


def host_name(value: object) -> str:
    """Return the host name in ``value`` as clean text, in lower case, without a dot at the end."""
    return shorten(text(value).rstrip(".").lower(), _LONGEST_HOST_NAME)


def host_names(values: list[Any]) -> list[str]:
    """Return each of ``values`` as :func:`host_name` does."""
    return [host_name(value) for value in values]


def identity(value: object, field: str, asked_for: str = "") -> str:
    """Return the id in ``value``, or else ``asked_for``. Raises BadAnswerError if both are empty."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    is_id = isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
    if is_id and (cleaned := clean_text(value)):
        return cleaned
    if asked_for:
        return asked_for
    raise BadAnswerError(f"unexpected response from CLN: a row without {field}")


def identities(values: list[Any], field: str) -> list[str]:
    """Return the id in each of ``values`` as :func:`identity` does."""
    return values if are_plain(values) else [identity(value, field) for value in values]


def count(value: object) -> int | None:
    """Return the whole number, 0 or more, in ``value``, a number or a string; None for any other value."""
    if isinstance(value, str | int | float) and not isinstance(value, bool) and _NUMBER.fullmatch(str(value)):
        return int(float(value))
    return None


def counts(value: object, field: str) -> list[int]:
    """Return the whole numbers of the list in ``value``, without duplicates. Raises BadAnswerError."""
    numbers = [count(item) for item in value] if isinstance(value, list) else [None]
    if None in numbers:
        raise BadAnswerError(f"unexpected response from CLN: {field} is not a list of numbers")
    return list(dict.fromkeys(number for number in numbers if number is not None))


def limit(value: object) -> Limit:
    """Return the limit of a key in ``value``: None if it is missing, a string if it is not a whole number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = count(value)
    return quoted(value) if number is None else number


def quoted(value: object) -> str:
    """Return ``value`` as a short text for display."""
    return clean_text(value if isinstance(value, str) else json.dumps(value), _LONGEST_QUOTE)


def flag(value: object) -> bool | None:
    """Return the boolean in ``value``, a boolean or a string; None for any other value."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def require_true(value: object) -> None:
    """Raise BadAnswerError unless ``value``, the data of a response to a change, is true."""
    if flag(value) is not True:
        raise BadAnswerError("unexpected response from CLN: data is neither true nor false")


def date(value: object, field: str, server: str = "CLN") -> float | None:
    """Return the Unix seconds of the date in ``value``; None if it is missing or empty.

    Raises BadAnswerError, which names the ``server`` that sent it.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return parse_date(value)
    except (ValueError, OverflowError):
        pass
    raise BadAnswerError(
        f"unexpected response from {server}: {field} is {clean_text(value, LONGEST_UNSCRUBBED)!r}, not a date"
    )


def checkin(value: object, field: str, server: str = "CLN") -> float | None:
    """Return the Unix seconds of the check-in in ``value``; None for never.

    "Never" is a missing or empty date, a date of zeros, and a date at or before 1970-01-02, as databases and programs
    store it for no date. Raises BadAnswerError, which names the ``server``, for a value that is not a date.
    """
    if isinstance(value, str) and _ZERO_DATE.fullmatch(value):
        return None
    seconds = date(value, field, server)
    return None if seconds is None or seconds <= _FIRST_DAY else seconds


def checkins(values: list[Any], field: str, server: str = "CLN") -> list[LastCheckin]:
    """Return the Unix seconds of each of ``values``, the field of all rows of a list, as :func:`checkin` does.

    ``UNSET`` is a row without the field. If only some rows lack it, they count as never, as null does. If all rows lack
    it, CLN has renamed or removed the field, and all values are returned as ``UNSET``.
    """
    if without := values.count(UNSET):
        if without == len(values):
            return values
        values = [None if value is UNSET else value for value in values]
    try:
        parsed = parse_shared_dates(values)  # many servers share one, as CLN reports the minute
    except (ValueError, TypeError):
        return [checkin(value, field, server) for value in values]
    return [None if seconds is None or seconds <= _FIRST_DAY else seconds for seconds in parsed]


def date_if_readable(value: object) -> float | None:
    """Return the Unix seconds of the date in ``value``; None if it is missing or cannot be read.

    A date at or before 1970-01-02 counts as missing, as for :func:`checkin`.
    """
    try:
        seconds = date(value, "")
    except BadAnswerError:
        return None
    return None if seconds is None or seconds <= _FIRST_DAY else seconds


def dates(values: list[Any], field: str) -> list[float | None]:
    """Return the Unix seconds of each of ``values`` as :func:`date` does."""
    try:
        return parse_plain_dates(values)
    except (ValueError, TypeError):
        return [date(value, field) for value in values]


def dates_if_readable(values: list[Any]) -> list[float | None]:
    """Return the Unix seconds of each of ``values`` as :func:`date_if_readable` does."""
    try:
        parsed = dates(values, "")
    except BadAnswerError:
        return [date_if_readable(value) for value in values]
    return [None if seconds is None or seconds <= _FIRST_DAY else seconds for seconds in parsed]
