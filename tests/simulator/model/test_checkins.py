"""The models of check-ins."""

import time
from itertools import pairwise

import pytest

from cln_monitor.simulator import Cycling, Fixed, Never, SimulatedCheckIns, Steady, Stopped
from tests.simulator.asking import NOW

HOUR = 3600
DAY = 24 * HOUR


def test_a_steady_agent_checks_in_about_every_four_hours() -> None:
    """Over a month all gaps are between three and a half and four and a half hours, and they differ."""
    agent = Steady(seed=3, since=NOW - DAY)
    moments = {agent.last_checkin(NOW + step) for step in range(0, 30 * DAY, 300)}
    gaps = [later - earlier for earlier, later in pairwise(sorted(moment or 0 for moment in moments))]
    assert len(gaps) in range(178, 182)
    assert all(3.5 * HOUR <= gap <= 4.5 * HOUR for gap in gaps)
    assert len(set(gaps)) > 100


def test_a_steady_agent_checks_in_when_it_registers_and_not_before() -> None:
    """Before it registers there is no check-in; at that moment there is one."""
    agent = Steady(seed=3, since=NOW)
    assert agent.last_checkin(NOW - 1) is None
    assert agent.last_checkin(NOW) == NOW


@pytest.mark.parametrize(
    "agent",
    [
        Steady(seed=1, since=NOW - 9 * DAY),
        Steady(seed=1, since=NOW - 9 * DAY, every=60),
        Stopped(Steady(seed=2, since=NOW - 9 * DAY), NOW + DAY),
        Cycling(Steady(seed=3, since=NOW - 9 * DAY), start=NOW - 5 * DAY, up=2 * DAY, down=DAY),
    ],
)
def test_check_ins_never_move_back(agent: SimulatedCheckIns) -> None:
    """The last check-in never moves back, and is never in the future."""
    before = 0.0
    for now in range(NOW, NOW + 10 * DAY, 1777):
        last = agent.last_checkin(now)
        assert last is not None
        assert before <= last <= now
        before = last


def test_two_agents_do_not_check_in_at_the_same_time() -> None:
    """Check-ins of a thousand agents are spread over four hours."""
    checkins = {Steady(seed=seed, since=NOW - 9 * DAY).last_checkin(NOW) for seed in range(1000)}
    assert len(checkins) > 900


def test_a_stopped_agent_is_silent_from_that_moment() -> None:
    """A stopped agent has no check-ins after it stopped."""
    agent = Steady(seed=4, since=NOW - 9 * DAY)
    stopped = Stopped(agent, NOW)
    assert stopped.last_checkin(NOW - DAY) == agent.last_checkin(NOW - DAY)
    assert stopped.last_checkin(NOW + 50 * DAY) == agent.last_checkin(NOW)


def test_a_cycling_agent_goes_silent_and_recovers() -> None:
    """Two days up, one day down: silent at the end of the third day, back at the end of the fifth."""
    agent = Steady(seed=5, since=NOW - 9 * DAY)
    cycling = Cycling(agent, start=NOW, up=2 * DAY, down=DAY)
    assert cycling.last_checkin(NOW + DAY) == agent.last_checkin(NOW + DAY)
    assert cycling.last_checkin(NOW + 3 * DAY - 1) == agent.last_checkin(NOW + 2 * DAY)
    assert cycling.last_checkin(NOW + 5 * DAY - 1) == agent.last_checkin(NOW + 5 * DAY - 1)


def test_never_and_fixed_do_not_move() -> None:
    """Never and Fixed do not depend on the time; Fixed can be in the future."""
    agents: list[SimulatedCheckIns] = [Never(), Fixed(NOW + 5)]
    assert [agent.last_checkin(NOW) for agent in agents] == [None, NOW + 5]


def test_a_moment_far_ahead_costs_no_more() -> None:
    """A check-in a thousand years ahead is computed without a loop."""
    agent = Steady(seed=6, since=NOW)
    started = time.thread_time()
    last = agent.last_checkin(NOW + 365_000 * DAY)
    assert time.thread_time() - started < 0.1
    assert last is not None
    assert last > NOW + 365_000 * DAY - 5 * HOUR
