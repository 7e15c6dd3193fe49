"""A family of gauges and the text of its series.

What CLN tells is written here, not by ``prometheus_client``: that renders anew on each scrape, at 7 µs a series.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

POLLED = "Polled from CLN, see cln_probe_last_success_timestamp_seconds for its age."
"""What the HELP of each family of polled data ends with."""


@dataclass(frozen=True, slots=True)
class Family:
    """A gauge: its name, its HELP, and the names of its labels in the order they are written.

    ``buckets``: of a histogram of what is there now, so each can fall as well as rise. The text format has no word for
    that, ``histogram`` promises counters, and promtool takes ``le`` for a mistake in a gauge: so these have no TYPE.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: bool = False

    @property
    def header(self) -> bytes:
        """The lines that introduce the family."""
        type_line = "" if self.buckets else f"# TYPE {self.name} gauge\n"
        return f"# HELP {self.name} {self.help}\n{type_line}".encode()


class Series:
    """Collects the text of series, family by family."""

    def __init__(self) -> None:
        self._lines: defaultdict[Family, list[str]] = defaultdict(list)

    def add(self, family: Family, values: Iterable[str], value: float) -> None:
        """Add one series of ``family``, its label ``values`` in the order of the family's labels."""
        pairs = ",".join(f'{name}="{escape(label)}"' for name, label in zip(family.labels, values, strict=True))
        self._lines[family].append(f"{family.name}{{{pairs}}} {number(value)}\n")

    def add_lines(self, family: Family, lines: Iterable[str]) -> None:
        """Add series of ``family`` as lines that are written already."""
        self._lines[family].extend(lines)

    def drop_over(self, limit: int, families: tuple[Family, ...]) -> int:
        """Drop the series of ``families`` when together they are more than ``limit``; return how many were dropped."""
        count = sum(len(self._lines[family]) for family in families)
        if count <= limit:
            return 0
        for family in families:
            del self._lines[family]
        return count

    def texts(self) -> Mapping[Family, bytes]:
        """Return the text of each family that has series."""
        return {family: "".join(lines).encode() for family, lines in self._lines.items() if lines}


def escape(value: str) -> str:
    """Return ``value`` as it stands between the quotes of a label."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def number(value: float) -> str:
    """Return ``value`` as the exposition formats spell it."""
    if isinstance(value, int):
        return str(int(value))
    if value.is_integer():
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
