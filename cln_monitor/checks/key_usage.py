"""How full licence keys are: one that is full keeps the next server from registering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cln_monitor.masking import masked

from .options import Option
from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State
from .thresholds import Threshold, of_percent

LIMIT_OPTIONS = (
    Option(
        ("--limit-warning",),
        "WARNING for a key whose use of its limit, in percent, is out of this range",
        "RANGE",
        read=of_percent,
        shown_default="80",
    ),
    Option(
        ("--limit-critical",),
        "CRITICAL for a key whose use of its limit, in percent, is out of this range",
        "RANGE",
        read=of_percent,
        shown_default="95",
    ),
)
LIMIT_DEFAULTS = (of_percent("80"), of_percent("95"))

Thresholds = tuple[Threshold | None, Threshold | None]
"""Those for WARNING and CRITICAL."""


class KeyUsage(NamedTuple):
    """The use of a key that has a limit: ``used`` of ``limit`` servers."""

    key: str
    used: int
    limit: int

    @property
    def percent(self) -> float:
        """How much of the limit is used."""
        return 100 * self.used / self.limit

    def __str__(self) -> str:
        """Return it as people read it: ``WsTs-8c7994d7 at 75 % (3 of 4)``."""
        return f"{masked(self.key)} at {self.percent:.0f} % ({self.used} of {self.limit})"


def fullest_first(keys: Iterable[Mapping[str, Any]], used: Mapping[str, int]) -> list[KeyUsage]:
    """Return the use of each of ``keys`` whose limit is a number; ``used`` are the numbers of servers by key.

    A limit of 0 is none; None is one that CLN does not tell, and a text what it told in place of a number.
    """
    limited = [key for key in keys if isinstance(key["limit"], int) and key["limit"]]
    uses = [KeyUsage(key["key"], used.get(key["key"], 0), key["limit"]) for key in limited]
    return sorted(uses, key=lambda use: use.percent, reverse=True)


def without_limit(keys: Iterable[Mapping[str, Any]]) -> str:
    """Return what to say of ``keys`` none of which has a limit that is a number."""
    return ", all without a limit" if all(key["limit"] == 0 for key in keys) else ""


def limit_problems(uses: Iterable[KeyUsage], thresholds: Thresholds) -> list[CheckProblem]:
    """Return a phrase for the keys that are CRITICAL and one for those that are WARNING."""
    problems = []
    left = list(uses)
    for state, threshold in ((State.CRITICAL, thresholds[1]), (State.WARNING, thresholds[0])):
        if threshold is None:
            continue
        over = [use for use in left if threshold.is_bad(use.percent)]
        left = [use for use in left if not threshold.is_bad(use.percent)]
        if over:
            keys = f"key {over[0]}" if len(over) == 1 else f"{len(over)} keys: {name_worst(list(map(str, over)))}"
            problems.append(CheckProblem(state, f"limit use {threshold.words} %: {keys}"))
    return problems


def limit_figures(uses: list[KeyUsage], thresholds: Thresholds) -> list[Metric]:
    """Return the figure of the fullest of ``uses``, which are sorted; none where no key has a limit."""
    return [Metric("limit_usage", use.percent, "%", *thresholds) for use in uses[:1]]
