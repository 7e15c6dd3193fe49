"""Durations as people write them: ``90s``, ``15m``, ``1h30m``, ``1d``."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PIECE = re.compile(r"(\d+)(ms|[smhdw])")
_DURATION = re.compile(rf"(?:{_PIECE.pattern})+")


def parse_duration(text: str) -> float:
    """Return the seconds of a duration such as ``15m``. Raises ValueError, with what would be right, on others."""
    if _DURATION.fullmatch(text) is None:
        hint = f"; did you mean {text}s or {text}m?" if re.fullmatch(r"\d+", text) else ""
        raise ValueError(f"{text!r} is no duration: write a number with a unit, such as 90s, 15m, 24h or 1d{hint}")
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _PIECE.findall(text))
    if seconds <= 0:
        raise ValueError(f"{text!r} is no time at all: write a duration above zero")
    return seconds


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in the largest unit that spells it without a rest: 900.0 is ``15m``."""
    for unit in ("w", "d", "h", "m", "s"):
        if seconds >= _UNITS[unit] and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds * 1000:.0f}ms"
