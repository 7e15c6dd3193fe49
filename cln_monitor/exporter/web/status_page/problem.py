"""A problem on the status page, with its details."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cln_monitor.policy import Row, Severity

from .server_pools import MOST_SERVERS


@dataclass(frozen=True, slots=True)
class Details:
    """The first affected objects of a problem, how many ``more`` there are, and the ``link`` to all of them."""

    items: Sequence[str]
    more: int = 0
    link: str = ""

    @classmethod
    def from_items(cls, items: Sequence[str], total: int, link: str) -> Details | None:
        """Return the details of ``total`` objects, of which ``items`` are known; None without items."""
        shown = items[:MOST_SERVERS]
        return cls(shown, max(0, total - len(shown)), link) if shown else None


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that an operator should look at. ``kind`` is the section of the page with more details.

    ``since`` says since when, or how long, if that is known; ``alert`` is the section of the runbook, empty for none;
    ``id`` is the HTML id of its row.
    """

    severity: Severity
    kind: str
    text: str
    alert: str = ""
    since: str = ""
    details: Details | None = None
    id: str = ""


def problem_of(
    row: Row, kind: str, text: str, alert: str = "", *, since: str = "", details: Details | None = None
) -> Iterator[Problem]:
    """Yield a problem with the severity of ``row``, nothing if the row has no severity."""
    if row.severity is not None:
        yield Problem(row.severity, kind, text, alert, since, details)


def with_ids(problems: Sequence[Problem]) -> list[Problem]:
    """Return ``problems`` with IDs that do not depend on their numbers, so that open details stay open on updates."""
    counts: Counter[str] = Counter()
    named = []
    for problem in problems:
        id_ = f"problem-{zlib.crc32(re.sub('[0-9]+', '', problem.text).encode()):08x}"
        counts[id_] += 1
        named.append(replace(problem, id=f"{id_}-{counts[id_]}"))
    return named
