"""Results of checks: states, metrics, and perfdata."""

from __future__ import annotations

import pytest

from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import age_range, count_range

from .perfdata import parse_perfdata


def test_metrics_in_perfdata() -> None:
    """Perfdata are sorted and have units, thresholds, and a minimum."""
    metrics = [
        Metric("stale", 2),
        Metric("age", 90000, "s", age_range("1d"), age_range("3d")),
        Metric("use", 66.66666666, "%", count_range("5:"), None),
    ]
    state, perfdata = CheckResult("text", metrics=metrics).evaluate()
    assert state is State.WARNING
    assert perfdata == ["age=90000s;86400;259200;0", "stale=2;;;0", "use=66.67%;5:;;0"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (3.0, "3"), (1e-07, "0"), (2 / 3, "0.67"), (1e16, "10000000000000000"), (True, "1"), (0.004, "0")],
)
def test_numbers_are_plain(value: float, shown: str) -> None:
    """Values have neither exponents nor words."""
    assert CheckResult("text", metrics=[Metric("a", value)]).evaluate()[1] == [f"a={shown};;;0"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_an_error_of_ours(value: float) -> None:
    """A value that is not finite is an internal error."""
    with pytest.raises(ValueError, match="the value of a metric is"):
        CheckResult("text", metrics=[Metric("a", value)]).evaluate()


def test_labels_that_cln_makes_up() -> None:
    """Any name from CLN becomes a valid and unique label."""
    names = ["a=b", "it's", "a b", "a|b", "🚀", "", "x" * 300, "xmlrpc", "rhn-q.1", "a\nb"]
    _, perfdata = CheckResult("text", metrics=[Metric(name, 1) for name in names]).evaluate()
    items = parse_perfdata(" ".join(perfdata))
    assert set(items) == {"a_b", "it_s", "_", "x" * 64, "xmlrpc", "rhn_q_1"}


def test_the_worst_of_all_states_is_the_verdict() -> None:
    """The worst state of metrics and problems is that of the check."""
    bad = Metric("age", 9, "s", age_range("1"), age_range("5"))
    assert CheckResult("text", metrics=[bad], states=[State.UNKNOWN]).evaluate()[0] is State.CRITICAL
    assert (
        CheckResult("text", metrics=[bad._replace(critical=None)], states=[State.UNKNOWN]).evaluate()[0]
        is State.UNKNOWN
    )
    assert CheckResult("text", metrics=[bad._replace(critical=None)]).evaluate()[0] is State.WARNING
    assert CheckResult("text").evaluate() == (State.OK, [])
