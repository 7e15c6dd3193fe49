"""The order of states."""

from __future__ import annotations

from itertools import permutations

import pytest

from cln_monitor.checks.states import State, worst


@pytest.mark.parametrize("states", list(permutations(State)))
def test_critical_beats_unknown_beats_warning_beats_ok(states: tuple[State, ...]) -> None:
    """The worst state wins in any order."""
    assert worst(states) is State.CRITICAL
    assert worst(state for state in states if state is not State.CRITICAL) is State.UNKNOWN
    assert worst({State.OK, State.WARNING}) is State.WARNING


def test_nothing_is_wrong_with_nothing() -> None:
    """No state at all is OK."""
    assert worst([]) is State.OK


def test_the_codes_of_the_cores() -> None:
    """The states have the exit codes of Nagios and Icinga."""
    assert [int(state) for state in (State.OK, State.WARNING, State.CRITICAL, State.UNKNOWN)] == [0, 1, 2, 3]
