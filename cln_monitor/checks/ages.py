"""Ages for people, and numbers with the units of time."""

from __future__ import annotations

import re

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def format_age(seconds: float) -> str:
    """Return ``seconds`` as a person says an age: ``40s``, ``25m``, ``26h``, ``4d``."""
    if seconds < 60:
        return f"{max(0, int(seconds))}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    if seconds < 48 * 3600:
        return f"{int(seconds // 3600)}h"
    return f"{int(seconds // 86400)}d"


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


def parse_number(text: str) -> float:
    """Return the number that ``text`` spells, in the digits of ASCII. Raises ValueError on anything else."""
    if _NUMBER.fullmatch(text) is None:  # float also takes 1_000, and the digits of all scripts
        raise ValueError(f"{text} is no number")
    return float(text)


def parse_seconds(text: str) -> float:
    """Return the seconds of a number with a unit, ``90s``, ``12h``, ``1.5d``; without one it is seconds.

    Raises ValueError on anything else.
    """
    unit = text[-1:] if text[-1:].isalpha() else ""
    if unit not in _UNITS:
        raise ValueError(f"{unit} is no unit of time")
    return parse_number(text.removesuffix(unit)) * _UNITS[unit]
