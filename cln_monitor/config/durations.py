"""Durations as people write them: ``90s``, ``15m``, ``1h30m``, ``1d``."""

from __future__ import annotations

import re

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}  # in milliseconds
_PIECE = re.compile(r"(\d{1,12})(ms|[smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PIECE.pattern})+", re.ASCII)
_LONGEST = 3653 * _UNITS["d"]
_SHOWN = 16  # characters; what is longer is no slip of a duration, and may be a secret in the wrong place


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``15m``. Raises ValueError, with what would be right, on others."""
    named = repr(text) if len(text) <= _SHOWN else "this"
    if _DURATION.fullmatch(text) is None:
        raise ValueError(
            f"{named} is no duration: write a number with a unit, such as 90s, 15m, 24h or 1d{_hint(text)}"
        )
    milliseconds = sum(int(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    if milliseconds == 0:
        raise ValueError(f"{named} is no time at all: write a duration above zero")
    if milliseconds > _LONGEST:
        raise ValueError(f"{named} is more than ten years: write a shorter duration, such as 24h or 30d")
    return milliseconds / 1000


def _hint(text: str) -> str:
    if clock := re.fullmatch(r"(\d{1,3}):(\d\d)", text, re.ASCII):
        text = str(60 * int(clock[1]) + int(clock[2]))
    return f"; did you mean {text}s or {text}m?" if re.fullmatch(r"\d{1,9}", text, re.ASCII) else ""


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that spells it without a rest: 900.0 is ``15m``."""
    milliseconds = round(seconds * 1000)
    for unit in ("w", "d", "h", "m", "s"):
        if milliseconds >= _UNITS[unit] and milliseconds % _UNITS[unit] == 0:
            return f"{milliseconds // _UNITS[unit]}{unit}"
    return f"{milliseconds}ms"
