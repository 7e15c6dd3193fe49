"""A page that stays short, however much there is to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Some:
    """The first of many rows, and how many were left out."""

    rows: Sequence[Any]
    more: int

    @classmethod
    def of(cls, rows: Sequence[Any], most: int = MOST_ROWS) -> Some:
        """Keep the first ``most`` of ``rows``."""
        return cls(rows[:most], max(0, len(rows) - most))
