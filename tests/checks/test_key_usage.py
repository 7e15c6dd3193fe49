"""The usage of keys, as text and metrics."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.key_usage import KeyUsage, disabled_notes, fullest_first, limit_metrics, limit_problems
from cln_monitor.checks.problems import CheckProblem
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import percent_range

LIMITS = (percent_range("80"), percent_range("95"))
KEYS: list[dict[str, Any]] = [
    {"key": "aaaa", "limit": 4},
    {"key": "bbbb", "limit": 10},
    {"key": "cccc", "limit": 0},
    {"key": "d", "limit": None},
]


def test_the_fullest_comes_first() -> None:
    """Keys are sorted by usage, without those that have no limit."""
    assert fullest_first(zip(KEYS, (0, 9, 99, 0), strict=True)) == [
        KeyUsage("bbbb-81cc5b17", 9, 10),
        KeyUsage("aaaa-61be55a8", 0, 4),
    ]
    assert fullest_first([]) == []


@pytest.mark.parametrize(
    ("used", "problems"),
    [
        (7, []),
        (8, []),
        (9, [CheckProblem(State.WARNING, "1 key over 80% full: WsTs-1e9d0b7e at 90% (9/10)")]),
        (10, [CheckProblem(State.CRITICAL, "1 key over 95% full: WsTs-1e9d0b7e at 100% (10/10)")]),
        (12, [CheckProblem(State.CRITICAL, "1 key over 95% full: WsTs-1e9d0b7e at 120% (12/10)")]),
    ],
)
def test_what_is_too_full(used: int, problems: list[CheckProblem]) -> None:
    """A key over a threshold is a problem, and its label is not masked again."""
    assert limit_problems([KeyUsage("WsTs-1e9d0b7e", used, 10)], LIMITS) == problems


def test_each_key_counts_once() -> None:
    """A CRITICAL key is not counted as WARNING, and only the first keys are named."""
    uses = [KeyUsage(f"k{number:03}-0123abcd", 100 - number, 100) for number in range(18)]
    critical, warning = limit_problems(uses, LIMITS)
    assert critical.text.startswith("5 keys over 95% full: k000-0123abcd at 100% (100/100), ")
    assert warning.text.startswith("13 keys over 80% full: ")
    assert warning.text.endswith(" and 8 more")
    [only] = limit_problems(uses, (percent_range("0:100"), percent_range("50:99")))
    assert only == CheckProblem(
        State.CRITICAL, "1 key with limit usage outside 50:99 (in %): k000-0123abcd at 100% (100/100)"
    )


def test_the_figure_is_that_of_the_fullest() -> None:
    """The metric is that of the fullest key, and missing if no key has a limit."""
    [metric] = limit_metrics([KeyUsage("a", 1, 3), KeyUsage("b", 0, 9)], LIMITS)
    assert (metric.label, round(metric.value, 2), metric.uom) == ("limit_usage", 33.33, "%")
    assert limit_metrics([], LIMITS) == []


@pytest.mark.parametrize(
    ("used", "limit", "text"),
    [
        (8, 10, None),
        (17, 19, None),
        (9, 10, "key a is nearly full (9/10)"),
        (10, 10, "key a is full (10/10)"),
        (12, 10, "key a is full (12/10)"),
        (1, 2, None),
        (2, 2, "key a is full (2/2)"),
        (1, 1, None),
        (3, 1, None),
    ],
)
def test_what_is_too_full_by_the_policy(used: int, limit: int, text: str | None) -> None:
    """By the policy, a key with a limit of 2 or more is WARNING from 90%."""
    expected = [] if text is None else [CheckProblem(State.WARNING, text)]
    assert limit_problems([KeyUsage("a", used, limit)], (None, None)) == expected


def test_a_key_goes_by_its_note() -> None:
    """A key is named by its note, which is shortened."""
    [use] = fullest_first([({"key": "WsTs-1e9d0b7e", "limit": 20, "note": "Shared hosting Köln"}, 20)])
    assert use.as_problem == 'key "Shared hosting Köln" (WsTs-1e9d0b7e) is full (20/20)'
    [use] = fullest_first([({"key": "WsTs-1e9d0b7e", "limit": 20, "note": "x" * 4096}, 0)])
    assert len(use.name) < 70


def test_several_keys_by_the_policy() -> None:
    """Several full keys are one problem, and full disabled keys a note."""
    uses = [KeyUsage("a", 10, 10), KeyUsage("b", 9, 10), KeyUsage("c", 10, 10, is_disabled=True), KeyUsage("d", 1, 1)]
    [problem] = limit_problems(uses[:2], (None, None))
    assert problem.text == "2 keys full or nearly full: a (10/10), b (9/10)"
    assert disabled_notes(uses[2:]) == ["disabled key c is full (10/10)"]
