"""The chart of check-in ages: the number of servers by age, as bars of an inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from . import formatting
from .check_ins import CheckIns
from .formatting import DAY, HOUR

_EDGES = ((4 * HOUR, "4 h"), (8 * HOUR, "8 h"), (DAY, "1 d"), (3 * DAY, "3 d"), (7 * DAY, "7 d"), (30 * DAY, "30 d"))
WIDTH, HEIGHT = 336, 152
_GAP = 10
_BASE, _TALLEST, _LEAST = 126.0, 98.0, 3.0


@dataclass(frozen=True, slots=True)
class Bar:
    """The servers of one age range, and the position of their bar. ``state`` is ``fresh``, ``stale``, or ``never``."""

    label: str
    count: int
    state: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The x coordinate of the center of its labels."""
        return self.x + self.width / 2

    @property
    def number(self) -> str:
        """The count in a short form that fits above the bar."""
        return f"{self.count / 1000:.3g}k" if self.count >= 10_000 else formatting.number(self.count)


@dataclass(frozen=True, slots=True)
class Chart:
    """The check-in ages of the servers of a ``product``."""

    id: str
    product: str
    total: int
    bars: tuple[Bar, ...]

    @property
    def description(self) -> str:
        """The content of the chart as text."""
        phrases = [f"{formatting.number(bar.count)} {_in_words(bar.label)}" for bar in self.bars if bar.count]
        return (
            f"Of {formatting.count(self.total, 'server')}: {formatting.listed(phrases)}." if phrases else "No servers."
        )


def chart(id_: str, product: str, check_ins: Iterable[CheckIns], now: float, stale_after: float) -> Chart:
    """Return the chart of ``check_ins`` at ``now``; ages of ``stale_after`` seconds or more are stale."""
    check_ins = list(check_ins)
    # The number of servers younger than each edge; the difference of two is the number in between.
    younger = [sum(len(group.times) - group.before(now - edge) for group in check_ins) for edge, _ in _EDGES]
    known = sum(len(group.times) for group in check_ins)
    counts = [high - low for low, high in zip((0, *younger), (*younger, known), strict=True)]
    edges = [0, *(edge for edge, _ in _EDGES)]
    rows = [
        (f"< {label}" if place < len(_EDGES) else "older", count, "stale" if edges[place] >= stale_after else "fresh")
        for place, (label, count) in enumerate(zip((*(label for _, label in _EDGES), ""), counts, strict=True))
    ]
    rows.append(("never", sum(group.never for group in check_ins), "never"))
    if unknown := sum(group.unknown for group in check_ins):
        rows.append(("unknown", unknown, "never"))
    most = max(count for _, count, _ in rows)
    bars = [
        _bar(place, WIDTH / len(rows), row, math.log1p(row[1]) / math.log1p(most) if most else 0.0)
        for place, row in enumerate(rows)
    ]
    return Chart(id_, product, sum(bar.count for bar in bars), tuple(bars))


def _bar(place: int, slot: float, row: tuple[str, int, str], share: float) -> Bar:
    label, count, state = row
    height = max(_LEAST, round(_TALLEST * share, 1)) if count else 0.0
    x = round(place * slot + _GAP / 2, 1)
    return Bar(label, count, state, x, round(_BASE - height, 1), round(slot - _GAP, 1), height)


def _in_words(label: str) -> str:
    if label == "never":
        return "never checked in"
    if label == "unknown":
        return "with unknown check-in"
    if label == "older":
        return "longer ago"
    return f"less than {label.removeprefix('< ')} ago"
