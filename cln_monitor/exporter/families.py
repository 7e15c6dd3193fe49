"""A family of gauges and the text of its series.

What CLN tells is written here, not by ``prometheus_client``: that renders anew on each scrape, at 7 µs a series.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import is_

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


@dataclass(slots=True)
class Piece:
    """The text of ``count`` series, made of the object ``source``."""

    text: bytes | memoryview
    count: int
    source: object


@dataclass(slots=True)
class Kept:
    """What was written of a target last time: pieces by what they are of, and the text of the families they are in."""

    pieces: dict[Hashable, Piece] = field(default_factory=dict)
    families: dict[Family, tuple[list[Piece], bytes]] = field(default_factory=dict)


class Series:
    """Collects the text of series, family by family. Pieces that stay as they were are taken from the ``former``."""

    def __init__(self, former: Kept | None = None) -> None:
        self._former = former or Kept()
        self._lines: defaultdict[Family, list[str]] = defaultdict(list)
        self._pieces: defaultdict[Family, list[Piece]] = defaultdict(list)
        self.kept = Kept()

    def add(self, family: Family, values: Iterable[str], value: float) -> None:
        """Add one series of ``family``, its label ``values`` in the order of the family's labels."""
        pairs = ",".join(f'{name}="{escape(label)}"' for name, label in zip(family.labels, values, strict=True))
        self._lines[family].append(f"{family.name}{{{pairs}}} {number(value)}\n")

    def add_made(self, family: Family, of: tuple[str, ...], source: object, make: Callable[[], list[str]]) -> None:
        """Add the lines that ``make`` makes of ``source`` and ``of``, and of nothing else, to a family of such alone.

        While ``source`` is the very same object they are not made anew.
        """
        piece = self._former.pieces.get((family, of))
        if piece is None or piece.source is not source:
            lines = make()
            piece = Piece("".join(lines).encode(), len(lines), source)
        self.kept.pieces[family, of] = piece
        self._pieces[family].append(piece)

    def drop_over(self, limit: int, families: tuple[Family, ...]) -> int:
        """Drop the series of ``families`` when together they are more than ``limit``; return how many were dropped."""
        count = sum(len(self._lines[family]) for family in families)
        count += sum(piece.count for family in families for piece in self._pieces[family])
        if count <= limit:
            return 0
        for family in families:
            del self._lines[family], self._pieces[family]
        self.kept.pieces.clear()
        return count

    def texts(self) -> Mapping[Family, bytes]:
        """Return the text of each family that has series."""
        texts = {family: "".join(lines).encode() for family, lines in self._lines.items()}
        texts |= {family: self._joined(family, pieces) for family, pieces in self._pieces.items() if pieces}
        return {family: text for family, text in texts.items() if text}

    def _joined(self, family: Family, pieces: list[Piece]) -> bytes:
        former, text = self._former.families.get(family, ([], b""))
        if len(former) != len(pieces) or not all(map(is_, former, pieces)):
            text = b"".join(piece.text for piece in pieces)
            whole, start = memoryview(text), 0
            for piece in pieces:  # each looks into the whole from now on, or all of it would be there twice
                piece.text = whole[start : start + len(piece.text)]
                start += len(piece.text)
        self.kept.families[family] = (pieces, text)
        return text


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
