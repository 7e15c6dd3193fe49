"""Durations and ages: one grammar in which they are read, and one spelling in which they are shown."""

from __future__ import annotations

import re
import time

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}  # in milliseconds
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_PIECE = re.compile(r"(\d{1,12}(?:\.\d{1,9})?|\.\d{1,9})(ms|[smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PIECE.pattern})+", re.ASCII)
_LONGEST = 3653 * _UNITS["d"]
_SHOWN = 16  # characters; what is longer is no slip of a duration, and may be a secret in the wrong place
_AGE_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``15m``, ``1h30m`` or ``1.5d``.

    Raises ValueError, with what would be right, on anything else, on nothing, and on more than ten years.
    """
    named = repr(text) if len(text) <= _SHOWN else "this"
    if _DURATION.fullmatch(text) is None:
        raise ValueError(
            f"{named} is no duration: write a number with a unit, such as 90s, 15m, 24h or 1d{_hint(text)}"
        )
    milliseconds = _milliseconds(text)
    if milliseconds == 0:
        raise ValueError(f"{named} is no time at all: write a duration above zero")
    if milliseconds > _LONGEST:
        raise ValueError(f"{named} is more than ten years: write a shorter duration, such as 24h or 30d")
    return milliseconds / 1000


def _milliseconds(text: str) -> int:
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(text)))


def _hint(text: str) -> str:
    if clock := re.fullmatch(r"(\d{1,3}):(\d\d)", text, re.ASCII):
        text = str(60 * int(clock[1]) + int(clock[2]))
    return f"; did you mean {text}s or {text}m?" if re.fullmatch(r"\d{1,9}", text, re.ASCII) else ""


def parse_number(text: str) -> float:
    """Return the number that ``text`` spells, in the digits of ASCII. Raises ValueError on anything else."""
    if _NUMBER.fullmatch(text) is None:  # float also takes 1_000, and the digits of all scripts
        raise ValueError(f"{text} is no number")
    return float(text)


def parse_seconds(text: str) -> float:
    """Return the seconds of a threshold: a duration such as ``1h30m`` or ``1.5d``, with a sign or none, or a number.

    Raises ValueError on anything else.
    """
    unsigned = text[1:] if text[:1] in {"+", "-"} else text
    if _DURATION.fullmatch(unsigned) is None:
        return parse_number(text)
    seconds = _milliseconds(unsigned) / 1000
    return -seconds if text[0] == "-" else seconds


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that spells it without a rest: 900.0 is ``15m``."""
    milliseconds = round(seconds * 1000)
    for unit in ("w", "d", "h", "m", "s"):
        if milliseconds >= _UNITS[unit] and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"


def format_age(seconds: float) -> str:
    """Return an age in the largest unit of which there are two, or exactly one: ``45s``, ``116m``, ``26h``, ``1d``."""
    whole = max(0, int(seconds))
    for size, unit in _AGE_UNITS:
        if whole >= 2 * size or whole == size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def months_at(moment: float) -> tuple[str, str]:
    """Return the month of a Unix time (UTC), such as ``2023-12``, and the one before."""
    year, month = time.gmtime(moment)[:2]
    before = (year, month - 1) if month > 1 else (year - 1, 12)
    return f"{year:04}-{month:02}", f"{before[0]:04}-{before[1]:02}"
