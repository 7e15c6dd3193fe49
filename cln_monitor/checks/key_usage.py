"""How full license keys are: one that is full keeps the next server from registering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.masking import masked
from cln_monitor.text_cleaning import shorten

from .options import Option
from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State
from .thresholds import Threshold, of_percent

_LONGEST_NOTE = 40
LIMIT_OPTIONS = (
    Option(
        ("--limit-warning",),
        "WARNING for a key whose use of its limit, in percent, is out of this range",
        "RANGE",
        read=of_percent,
        shown_default=f"{policy.NEARLY_FULL}% or more of a limit of {policy.LEAST_LIMIT} or more",
    ),
    Option(
        ("--limit-critical",),
        "CRITICAL for a key whose use of its limit, in percent, is out of this range",
        "RANGE",
        read=of_percent,
        shown_default="none",
    ),
)
_NEARLY_FULL, _FULL = of_percent(str(policy.NEARLY_FULL)), of_percent(str(policy.FULL))

Thresholds = tuple[Threshold | None, Threshold | None]
"""Those for WARNING and CRITICAL that were given; without one for WARNING the policy says what is."""


class KeyUsage(NamedTuple):
    """The use of a key that has a limit: ``used`` of ``limit`` servers; ``name`` is what people call it."""

    name: str
    used: int
    limit: int
    is_disabled: bool = False

    @property
    def percent(self) -> float:
        """How much of the limit is used."""
        return 100 * self.used / self.limit

    @property
    def row(self) -> policy.Row | None:
        """The row of the policy that it is in."""
        return policy.key_fullness(self.used, self.limit)

    @property
    def as_problem(self) -> str:
        """What is wrong with it by the policy: ``key WsTs-8c7994d7 is full (4/4)``."""
        fullness = "full" if self.used >= self.limit else "nearly full"
        return f"key {self.name} is {fullness} ({self.used}/{self.limit})"

    def __str__(self) -> str:
        """Return it as people read it: ``WsTs-8c7994d7 at 75 % (3/4)``."""
        return f"{self.name} at {self.percent:.0f} % ({self.used}/{self.limit})"


def fullest_first(keys: Iterable[Mapping[str, Any]], used: Mapping[str, int]) -> list[KeyUsage]:
    """Return the use of each of ``keys`` whose limit is a number; ``used`` are the numbers of servers by key.

    A limit of 0 is none; None is one that CLN does not tell, and a text what it told in place of a number.
    """
    uses = [
        KeyUsage(name_of(key), used.get(key["key"], 0), key["limit"], key.get("enabled") is False)
        for key in keys
        if isinstance(key["limit"], int) and key["limit"]
    ]
    return sorted(uses, key=lambda use: (use.limit >= policy.LEAST_LIMIT, use.percent), reverse=True)


def name_of(key: Mapping[str, Any]) -> str:
    """Return what people call a key: its note, where it has one, and its label."""
    note = shorten(key.get("note") or "", _LONGEST_NOTE)
    return f'"{note}" ({masked(key["key"])})' if note else masked(key["key"])


def without_limit(keys: Iterable[Mapping[str, Any]]) -> str:
    """Return what to say of ``keys`` none of which has a limit that is a number."""
    return ", all without a limit" if all(key["limit"] == 0 for key in keys) else ""


def limit_problems(uses: Iterable[KeyUsage], thresholds: Thresholds) -> list[CheckProblem]:
    """Return a phrase for the keys that are CRITICAL and one for those that are WARNING."""
    warning, critical = thresholds
    problems = []
    left = list(uses)
    for state, threshold in ((State.CRITICAL, critical), (State.WARNING, warning)):
        if threshold is None:
            continue
        over = [use for use in left if threshold.is_bad(use.percent)]
        left = [use for use in left if not threshold.is_bad(use.percent)]
        if over:
            keys = f"key {over[0]}" if len(over) == 1 else f"{len(over)} keys: {name_worst(list(map(str, over)))}"
            problems.append(CheckProblem(state, f"limit use {threshold.words} %: {keys}"))
    if warning is None:
        problems += _by_policy(left)
    return problems


def disabled_notes(uses: Iterable[KeyUsage], active: Sequence[KeyUsage]) -> list[str]:
    """Return what is worth a word of those of ``uses`` that are not ``active``, as their keys are disabled."""
    full = [use for use in uses if use not in active and use.row is not None and use.row.severity is not None]
    return (
        [f"{len(full)} disabled keys full or nearly full"]
        if len(full) > 1
        else [f"disabled {use.as_problem}" for use in full]
    )


def _by_policy(uses: Iterable[KeyUsage]) -> list[CheckProblem]:
    full = [use for use in uses if use.row is not None and use.row.severity is not None]
    if not full:
        return []
    some = [f"{use.name} ({use.used}/{use.limit})" for use in full]
    text = full[0].as_problem if len(full) == 1 else f"{len(full)} keys full or nearly full: {name_worst(some)}"
    return [CheckProblem(State.WARNING, text)]


def limit_figures(uses: list[KeyUsage], thresholds: Thresholds) -> list[Metric]:
    """Return the figure of the fullest of ``uses``, which are sorted; none where no key has a limit."""
    warning, critical = thresholds
    shown = (warning or _NEARLY_FULL, critical or _FULL)
    return [Metric("limit_usage", use.percent, "%", *shown, is_judged=False) for use in uses[:1]]
