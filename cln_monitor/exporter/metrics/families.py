"""Metric families of gauges, and the text of their series.

Polled data are rendered here, not by ``prometheus_client``, which renders on each scrape and takes 7 µs per series.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

POLLED = "Polled from CLN; see cln_probe_last_success_timestamp_seconds for the age."
"""The last sentence of the HELP of each family of polled data."""


@dataclass(frozen=True, slots=True)
class Family:
    """A gauge: its name, its HELP, and its label names in the order of the output.

    With ``buckets``, it is a gauge histogram, whose buckets can decrease. It is exposed without a TYPE, because the
    text format has no such type: a ``histogram`` must consist of counters, and promtool rejects ``le`` on a gauge.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    buckets: bool = False

    @property
    def header(self) -> bytes:
        """The HELP and TYPE lines of the family."""
        type_line = "" if self.buckets else f"# TYPE {self.name} gauge\n"
        return f"# HELP {self.name} {self.help}\n{type_line}".encode()


class Series:
    """Collects the text of series by family."""

    def __init__(self) -> None:
        self._lines: defaultdict[Family, list[str]] = defaultdict(list)

    def add(self, family: Family, values: Iterable[str], value: float) -> None:
        """Add one series of ``family``, with its label ``values`` in the order of ``family.labels``."""
        pairs = ",".join(f'{name}="{escape(label)}"' for name, label in zip(family.labels, values, strict=True))
        self._lines[family].append(f"{family.name}{{{pairs}}} {number(value)}\n")

    def add_lines(self, family: Family, lines: Iterable[str]) -> None:
        """Add series of ``family`` as rendered lines, each with its newline."""
        self._lines[family].extend(lines)

    def drop_over(self, limit: int, families: tuple[Family, ...]) -> int:
        """Drop all series of ``families`` if they exceed ``limit`` in total; return the number of dropped series."""
        count = sum(len(self._lines[family]) for family in families)
        if count <= limit:
            return 0
        for family in families:
            del self._lines[family]
        return count

    def drop(self, families: Iterable[Family]) -> None:
        """Drop all series of ``families``."""
        for family in families:
            self._lines.pop(family, None)

    def texts(self) -> Mapping[Family, bytes]:
        """Return the text of each family that has series."""
        return {family: "".join(lines).encode() for family, lines in self._lines.items() if lines}


def escape(value: str) -> str:
    """Return ``value`` escaped for the quotes of a label."""
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def number(value: float) -> str:
    """Return ``value`` as the exposition formats write it."""
    if isinstance(value, int):
        return str(int(value))
    if value.is_integer():
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
