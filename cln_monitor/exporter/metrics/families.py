"""Metric families of gauges, and the text of their series.

Polled data are rendered here, not by ``prometheus_client``, which renders on each scrape and takes 7 µs per series.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

_MOST_LINES = 2000  # of a block, which is then at least 10 times as large as the window of deflate

POLLED = "Polled from CLN; see cln_probe_last_success_timestamp_seconds for the age."
"""The last sentence of the HELP of each family of data of CLN."""

POLLED_FROM_EPORTAL = POLLED.replace("CLN", "the ePortal")
"""The last sentence of the HELP of each family of data of an ePortal."""


@dataclass(frozen=True, slots=True)
class Family:
    """A gauge: its name, its HELP, and its label names in the order of the output.

    With ``buckets``, it is a gauge histogram, whose buckets can decrease. It is exposed without a TYPE, because the
    text format has no such type: a ``histogram`` must consist of counters, and promtool rejects ``le`` on a gauge.

    With ``shared``, several targets can have the same series, which is exposed once.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: bool = False
    shared: bool = False

    @property
    def header(self) -> bytes:
        """The HELP and TYPE lines of the family."""
        type_line = "" if self.buckets else f"# TYPE {self.name} gauge\n"
        return f"# HELP {self.name} {self.help}\n{type_line}".encode()


Keep: TypeAlias = Callable[[Family, int, bytes], Any]
"""Takes a block: its family, its number, and its text; returns what is held of it."""


class Series:
    """Collects the text of series by family, in blocks.

    ``keep`` is called with the family, the number and the text of each block when it is complete, and only its result
    is held.
    """

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._lines: defaultdict[Family, list[str]] = defaultdict(list)
        self._blocks: defaultdict[Family, list[Any]] = defaultdict(list)
        self._counts: Counter[Family] = Counter()

    def add(self, family: Family, values: Iterable[str], value: float) -> None:
        """Add one series of ``family``, with its label ``values`` in the order of ``family.labels``."""
        pairs = ",".join(f'{name}="{escape(label)}"' for name, label in zip(family.labels, values, strict=True))
        self.add_lines(family, (f"{family.name}{{{pairs}}} {number(value)}\n",))

    def add_lines(self, family: Family, lines: Iterable[str]) -> None:
        """Add series of ``family`` as rendered lines, each with its newline."""
        collected = self._lines[family]
        collected.extend(lines)
        if len(collected) >= _MOST_LINES:
            self._end_block(family)

    def _end_block(self, family: Family) -> None:
        lines = self._lines.pop(family)
        self._counts[family] += len(lines)
        blocks = self._blocks[family]
        blocks.append(self._keep(family, len(blocks), "".join(lines).encode()))

    def drop_over(self, limit: int, families: tuple[Family, ...]) -> int:
        """Drop all series of ``families`` if they exceed ``limit`` in total; return the number of dropped series."""
        count = sum(self._counts[family] + len(self._lines[family]) for family in families)
        if count <= limit:
            return 0
        self.drop(families)
        return count

    def drop(self, families: Iterable[Family]) -> None:
        """Drop all series of ``families``."""
        for family in families:
            for collected in (self._lines, self._blocks, self._counts):
                collected.pop(family, None)

    def blocks(self) -> Mapping[Family, Sequence[Any]]:
        """Return the blocks of each family that has series."""
        for family in [family for family, lines in self._lines.items() if lines]:
            self._end_block(family)
        return self._blocks


def escape(value: str) -> str:
    """Return ``value`` escaped for the quotes of a label."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def escape_all(values: list[str]) -> list[str]:
    """Return each of ``values`` as :func:`escape` does; few of a hundred thousand need it."""
    together = "".join(values)
    return values if escape(together) is together else list(map(escape, values))


def number(value: float) -> str:
    """Return ``value`` as the exposition formats write it."""
    if isinstance(value, int):
        return str(int(value))
    if value.is_integer():
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
