"""The outcome of a check: its result, or UNKNOWN with the reason for which it cannot run."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import pytest

from cln_monitor.checks.outcome import CheckOutcome, run_check
from cln_monitor.checks.plugin_exit import CheckError, NoResponseError, PluginExit
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import count_range

NOW = 1_714_490_800.0


def outcome_of(check: Callable[[argparse.Namespace, PluginExit, float], CheckResult]) -> CheckOutcome:
    """Return the outcome of a plugin with that ``check``."""
    options = argparse.Namespace(unreachable_state=State.CRITICAL)
    return run_check(Plugin("check_cln_test", "Test.", (), check), options, PluginExit(), NOW)


def test_a_result() -> None:
    """The state is the worst of those of the result and of its metrics."""
    metric = Metric("keys", 7, "", count_range("3"), count_range("9"))
    result = CheckResult("7 keys", ["one"], [metric], [State.OK])
    assert outcome_of(lambda *_: result) == (State.WARNING, "7 keys", ["one"], ["keys=7;3;9;0"])


@pytest.mark.parametrize(
    ("error", "state"), [(CheckError("no data"), State.UNKNOWN), (NoResponseError("no data"), State.CRITICAL)]
)
def test_a_check_that_cannot_run(error: Exception, state: State) -> None:
    """Without data the check is UNKNOWN, or in the state of --unreachable-state if nothing responds."""

    def check(*_: object) -> CheckResult:
        raise error

    assert outcome_of(check) == (state, "no data", (), ())


def test_an_internal_error() -> None:
    """An error of the check itself is raised: the caller has its traceback."""
    with pytest.raises(ZeroDivisionError):
        outcome_of(lambda *_: CheckResult(str(1 / 0)))
