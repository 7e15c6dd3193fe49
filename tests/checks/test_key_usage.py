"""How full keys are, in words and figures."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.key_usage import LIMIT_DEFAULTS, KeyUsage, fullest_first, limit_figures, limit_problems
from cln_monitor.checks.problems import CheckProblem
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import of_percent

KEYS: list[dict[str, Any]] = [
    {"key": "aaaa", "limit": 4},
    {"key": "bbbb", "limit": 10},
    {"key": "cccc", "limit": 0},
    {"key": "d", "limit": None},
]


def test_the_fullest_comes_first() -> None:
    """A key without a limit is never full; one of which no server is known is empty."""
    assert fullest_first(KEYS, {"bbbb": 9, "cccc": 99}) == [KeyUsage("bbbb", 9, 10), KeyUsage("aaaa", 0, 4)]
    assert fullest_first([], {}) == []


@pytest.mark.parametrize(
    ("used", "problems"),
    [
        (7, []),
        (8, []),
        (9, [CheckProblem(State.WARNING, "limit use over 80 %: key WsTs-1e9d0b7e at 90 % (9 of 10)")]),
        (10, [CheckProblem(State.CRITICAL, "limit use over 95 %: key WsTs-1e9d0b7e at 100 % (10 of 10)")]),
        (12, [CheckProblem(State.CRITICAL, "limit use over 95 %: key WsTs-1e9d0b7e at 120 % (12 of 10)")]),
    ],
)
def test_what_is_too_full(used: int, problems: list[CheckProblem]) -> None:
    """By the defaults; the mask is that of the label where it is one already."""
    assert limit_problems([KeyUsage("WsTs-1e9d0b7e", used, 10)], LIMIT_DEFAULTS) == problems


def test_each_key_counts_once() -> None:
    """What is CRITICAL is not WARNING as well; of many the first are named."""
    uses = [KeyUsage(f"k{number:03}-0123abcd", 100 - number, 100) for number in range(18)]
    critical, warning = limit_problems(uses, LIMIT_DEFAULTS)
    assert critical.text.startswith("limit use over 95 %: 5 keys: k000-0123abcd at 100 % (100 of 100), ")
    assert warning.text.startswith("limit use over 80 %: 13 keys: ")
    assert warning.text.endswith(" and 8 more")
    assert limit_problems(uses, (None, None)) == []
    [only] = limit_problems(uses, (None, of_percent("50:99")))
    assert only == CheckProblem(State.CRITICAL, "limit use out of 50:99 %: key k000-0123abcd at 100 % (100 of 100)")


def test_the_figure_is_that_of_the_fullest() -> None:
    """None where no key has a limit."""
    [figure] = limit_figures([KeyUsage("a", 1, 3), KeyUsage("b", 0, 9)], LIMIT_DEFAULTS)
    assert (figure.label, round(figure.value, 2), figure.uom) == ("limit_usage", 33.33, "%")
    assert limit_figures([], LIMIT_DEFAULTS) == []
