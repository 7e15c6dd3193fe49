"""Human-readable formats of numbers, ages, and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cln_monitor.text_cleaning import shorten

MINUTE, HOUR, DAY = 60, 3600, 86400
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
"""The Unicode blocks of right-to-left scripts."""


def moment(seconds: float, now: float) -> str:
    """Return a Unix time as ``14:03 UTC``, with its date unless that is the date of ``now``."""
    then, today = datetime.fromtimestamp(seconds, UTC), datetime.fromtimestamp(now, UTC).date()
    return then.strftime("%H:%M UTC" if then.date() == today else "%Y-%m-%d %H:%M UTC")


def iso(seconds: float) -> str:
    """Return a Unix time in the format of ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(count: int) -> str:
    """Return ``count`` with thousands separators."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def count(amount: int, one: str, many: str | None = None) -> str:
    """Return ``1 server`` or ``2 servers``; ``many`` is the plural if it is not ``one`` with an s."""
    return f"{number(amount)} {one if amount == 1 else many or one + 's'}"


def listed(phrases: list[str]) -> str:
    """Return the phrases as ``a``, ``a and b``, or ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(phrases[:-1]), *phrases[-1:])))


def short(text: str, longest: int = 80) -> str:
    """Return ``text``, truncated to ``longest`` characters."""
    return shorten(text, longest)


def isolated(text: str) -> str:
    """Return ``text``, isolated so that right-to-left letters in it do not reorder the surrounding text."""
    return text if _RIGHT_TO_LEFT.search(text) is None else f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def first(names: Sequence[str], most: int = 3) -> str:
    """Return ``a, b, c and 4 more``: the first ``most`` of ``names``, and the number of others."""
    more = len(names) - most
    return f"{', '.join(names[:most])}{f' and {number(more)} more' if more > 0 else ''}"


MAX_ROWS = 20


@dataclass(frozen=True, slots=True)
class Truncated:
    """The first of many rows, and the number of omitted ones."""

    rows: Sequence[Any]
    more: int

    @classmethod
    def from_rows(cls, rows: Sequence[Any], most: int = MAX_ROWS) -> Truncated:
        """Return the first ``most`` of ``rows``."""
        return cls(rows[:most], max(0, len(rows) - most))
