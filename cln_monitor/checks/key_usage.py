"""The usage of license keys: a full key keeps the next server from registering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.masking import masked
from cln_monitor.text_cleaning import shorten

from .options import Option
from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State
from .thresholds import Threshold, percent_range

_LONGEST_NOTE = 40
LIMIT_OPTIONS = (
    Option(
        ("--limit-warning",),
        "Return WARNING if the usage of a key's limit, in percent, is outside this range",
        "RANGE",
        read=percent_range,
        shown_default=f"at {policy.NEARLY_FULL}% of a limit of {policy.LEAST_LIMIT} or more",
    ),
    Option(
        ("--limit-critical",),
        "Return CRITICAL if the usage of a key's limit, in percent, is outside this range",
        "RANGE",
        read=percent_range,
        shown_default="none",
    ),
)
_NEARLY_FULL, _FULL = percent_range(str(policy.NEARLY_FULL)), percent_range(str(policy.FULL))

Thresholds = tuple[Threshold | None, Threshold | None]
"""The thresholds for WARNING and CRITICAL from the options; without one for WARNING the policy applies."""


class KeyUsage(NamedTuple):
    """The usage of a key with a limit: ``used`` of ``limit`` servers; ``name`` is the key's note and label."""

    name: str
    used: int
    limit: int
    is_disabled: bool = False

    @property
    def percent(self) -> float:
        """The usage of the limit in percent."""
        return 100 * self.used / self.limit

    @property
    def row(self) -> policy.Row | None:
        """The row of the policy that applies to the usage, or None."""
        return policy.key_fullness(self.used, self.limit)

    @property
    def as_problem(self) -> str:
        """The problem by the policy: ``key WsTs-8c7994d7 is full (4/4)``."""
        fullness = "full" if self.used >= self.limit else "nearly full"
        return f"key {self.name} is {fullness} ({self.used}/{self.limit})"

    def __str__(self) -> str:
        """Return the usage as text: ``WsTs-8c7994d7 at 75% (3/4)``."""
        return f"{self.name} at {self.percent:.0f}% ({self.used}/{self.limit})"


def fullest_first(keys: Iterable[tuple[Mapping[str, Any], int]]) -> list[KeyUsage]:
    """Return the usage of each of ``keys`` with a limit; each key comes with its number of servers.

    A limit of 0 means unlimited, None that CLN does not report it, and text that CLN returned it instead of a number.
    """
    uses = [
        KeyUsage(name_of(key), used, key["limit"], key.get("enabled") is False)
        for key, used in keys
        if isinstance(key["limit"], int) and key["limit"]
    ]
    return sorted(uses, key=lambda use: (use.limit >= policy.LEAST_LIMIT, use.percent), reverse=True)


def name_of(key: Mapping[str, Any]) -> str:
    """Return the name of a key for people: its note, if it has one, and its label."""
    note = shorten(key.get("note") or "", _LONGEST_NOTE)
    return f'"{note}" ({masked(key["key"])})' if note else masked(key["key"])


def counted(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 key``, ``2 keys``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def without_limit(keys: Iterable[Mapping[str, Any]]) -> str:
    """Return the end of a first line about ``keys`` without numeric limits: ``, all unlimited`` or an empty text."""
    return ", all unlimited" if all(key["limit"] == 0 for key in keys) else ""


def limit_problems(uses: Iterable[KeyUsage], thresholds: Thresholds) -> list[CheckProblem]:
    """Return one problem for the CRITICAL keys and one for the WARNING keys."""
    warning, critical = thresholds
    problems = []
    left = list(uses)
    for state, threshold in ((State.CRITICAL, critical), (State.WARNING, warning)):
        if threshold is None:
            continue
        over = [use for use in left if threshold.is_bad(use.percent)]
        left = [use for use in left if not threshold.is_bad(use.percent)]
        if over:
            usage = "{}% full" if threshold.is_plain else "with limit usage {} (in %)"
            text = f"{counted(len(over), 'key')} {usage.format(threshold.description)}"
            problems.append(CheckProblem(state, f"{text}: {name_worst(list(map(str, over)))}"))
    if warning is None:
        problems += _by_policy(left)
    return problems


def disabled_notes(disabled: Iterable[KeyUsage]) -> list[str]:
    """Return a note about the full keys among the ``disabled`` ones."""
    full = [use for use in disabled if use.row is not None and use.row.severity is not None]
    return (
        [f"{len(full)} disabled keys full or nearly full"]
        if len(full) > 1
        else [f"disabled {use.as_problem}" for use in full]
    )


def _by_policy(uses: Iterable[KeyUsage]) -> list[CheckProblem]:
    full = [use for use in uses if use.row is not None and use.row.severity is not None]
    if not full:
        return []
    names = [f"{use.name} ({use.used}/{use.limit})" for use in full]
    text = full[0].as_problem if len(full) == 1 else f"{len(full)} keys full or nearly full: {name_worst(names)}"
    return [CheckProblem(State.WARNING, text)]


def limit_metrics(uses: list[KeyUsage], thresholds: Thresholds) -> list[Metric]:
    """Return the metric of the fullest key; ``uses`` are sorted. The list is empty if no key has a limit."""
    warning, critical = thresholds
    shown = (warning or _NEARLY_FULL, critical or _FULL)
    return [Metric("limit_usage", use.percent, "%", *shown, is_judged=False) for use in uses[:1]]
