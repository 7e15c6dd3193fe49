"""Who comes while a work is under way waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cln_monitor.exporter.single_flight import SingleFlight

from .asking import wait_for_visitors


class Work:
    """A work that begins and then waits; ``done`` counts how often it was done."""

    def __init__(self, end: Callable[[], object]) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.done = 0
        self._end = end

    def __call__(self) -> object:
        self.begun.set()
        assert self.go_on.wait(5)
        self.done += 1
        return self._end()


def test_they_share_one_run() -> None:
    """Ten threads that ask at the same time get the one result of a work that is done once."""
    flight, work = SingleFlight[Any](), Work(object)
    with ThreadPoolExecutor(10) as visitors:
        first = visitors.submit(flight.do, work)
        assert work.begun.wait(5)
        assert flight.is_running
        rest = [visitors.submit(flight.do, work) for _ in range(9)]
        wait_for_visitors(flight, 9)
        assert not any(visit.done() for visit in rest)
        work.go_on.set()
        results = {id(visit.result(5)) for visit in [first, *rest]}
    assert len(results) == work.done == 1
    assert not flight.is_running


def test_the_next_one_runs_again() -> None:
    """A work that has ended is done again for who asks next."""
    flight = SingleFlight[Any]()
    assert flight.do(object) is not flight.do(object)


def test_a_run_that_breaks_does_not_block() -> None:
    """An error is raised for all who waited, and the next work is done."""

    def broken() -> None:
        raise ValueError("broken")

    flight, work = SingleFlight[Any](), Work(broken)
    with ThreadPoolExecutor(2) as visitors:
        first = visitors.submit(flight.do, work)
        assert work.begun.wait(5)
        second = visitors.submit(flight.do, work)
        wait_for_visitors(flight, 1)
        work.go_on.set()
        for visit in (first, second):
            with pytest.raises(ValueError, match="broken"):
                visit.result(5)
    assert not flight.is_running
    assert flight.do(lambda: 1) == 1
