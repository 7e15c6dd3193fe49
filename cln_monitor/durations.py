"""Durations and ages: the syntax in which they are read, and the format in which they are shown."""

from __future__ import annotations

import re
import time

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}  # in milliseconds
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_PIECE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?|\.\d{1,9})(ms|[smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PIECE.pattern})+", re.ASCII)
_LONGEST = 3653 * _UNITS["d"]
_LONGEST_SHOWN = 16  # characters; a longer text is not a mistyped duration and may be a misplaced secret
_AGE_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``15m``, ``1h30m`` or ``1.5d``.

    Raises ValueError, with an example, for any other text, for zero, and for more than ten years.
    """
    invalid = f"invalid duration {text!r}" if len(text) <= _LONGEST_SHOWN else "invalid duration"
    if _DURATION.fullmatch(text) is None:
        raise ValueError(f"{invalid}: use for example 90s, 15m, 1h30m{_hint(text)}")
    milliseconds = _milliseconds(text)
    if milliseconds == 0:
        raise ValueError(f"{invalid}: must be greater than zero")
    if milliseconds > _LONGEST:
        raise ValueError(f"{invalid}: must not exceed 10 years")
    return milliseconds / 1000


def _milliseconds(text: str) -> int:
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text)))


def _hint(text: str) -> str:
    if clock := re.fullmatch(r"(\d{1,3}):(\d\d)", text, re.ASCII):
        text = str(60 * int(clock[1]) + int(clock[2]))
    return f"; did you mean {text}s or {text}m?" if re.fullmatch(r"\d{1,9}", text, re.ASCII) else ""


def parse_number(text: str) -> float:
    """Return the number in ``text``, written in ASCII digits. Raises ValueError for any other text."""
    if _NUMBER.fullmatch(text) is None:  # float also accepts 1_000 and the digits of other scripts
        raise ValueError(f"invalid number {text!r}")
    return float(text)


def parse_seconds(text: str) -> float:
    """Return the seconds of a threshold: a duration such as ``1h30m`` or ``-1.5d``, or a plain number.

    Raises ValueError for any other text.
    """
    unsigned = text[1:] if text[:1] in {"+", "-"} else text
    if _DURATION.fullmatch(unsigned) is None:
        return parse_number(text)
    seconds = _milliseconds(unsigned) / 1000
    return -seconds if text[0] == "-" else seconds


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit of which it is a whole multiple: 900.0 is ``15m``."""
    milliseconds = round(seconds * 1000)
    for unit in ("w", "d", "h", "m", "s"):
        if milliseconds >= _UNITS[unit] and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"


def format_age(seconds: float) -> str:
    """Return an age in the largest unit that gives at least 2, or exactly 1: ``45s``, ``116m``, ``26h``, ``1d``."""
    whole = max(0, int(seconds))
    for size, unit in _AGE_UNITS:
        if whole >= 2 * size or whole == size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def format_skew(seconds: float) -> str:
    """Return the skew of a clock that is ``seconds`` ahead: ``5m ahead of the local clock``."""
    return f"{format_age(abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the local clock"


def months_at(moment: float) -> tuple[str, str]:
    """Return the month (UTC) of a Unix time, such as ``2023-12``, and the month before it."""
    year, month = time.gmtime(moment)[:2]
    before = (year, month - 1) if month > 1 else (year - 1, 12)
    return f"{year:04}-{month:02}", f"{before[0]:04}-{before[1]:02}"
