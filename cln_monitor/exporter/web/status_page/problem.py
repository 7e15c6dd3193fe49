"""A row of what is wrong, with what it is about in detail."""

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
    """The first of the things that a problem is about, how many ``more`` there are, and the ``link`` to all of them."""

    items: Sequence[str]
    more: int = 0
    link: str = ""

    @classmethod
    def of(cls, items: Sequence[str], total: int, link: str) -> Details | None:
        """Return the details of a problem of ``total`` things, of which ``items`` are known; None where none is."""
        shown = items[:MOST_SERVERS]
        return cls(shown, max(0, total - len(shown)), link) if shown else None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator would do something about. ``kind`` is the section of the page that shows more of it.

    ``since``: since when, or for how long, where that is known; ``alert``: whose section of the runbook is about it,
    empty for none. ``id`` tells its row from others.
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
    """Yield the problem that a ``row`` of the policy is, if it is one."""
    if row.severity is not None:
        yield Problem(row.severity, kind, text, alert, since, details)


def with_ids(problems: Sequence[Problem]) -> list[Problem]:
    """Return ``problems``, each with an id that stays while its numbers change, so that what is open stays open."""
    counts: Counter[str] = Counter()
    named = []
    for problem in problems:
        id_ = f"problem-{zlib.crc32(re.sub('[0-9]+', '', problem.text).encode()):08x}"
        counts[id_] += 1
        named.append(replace(problem, id=f"{id_}-{counts[id_]}"))
    return named
