"""Tests of the deduplication of concurrent calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cln_monitor.exporter.single_flight import SingleFlight

from .asking import wait_for_visitors


class Work:
    """A function that blocks until ``go_on`` is set; ``done`` counts its calls."""

    def __init__(self, end: Callable[[], object]) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.done = 0
        self._end = end

    def __call__(self) -> object:
        self.begun.set()
        assert self.go_on.wait(5)
        self.done += 1
        return self._end()


def test_concurrent_calls_share_one_run() -> None:
    """Ten concurrent calls get the result of a single run."""
    flight, work = SingleFlight[Any](), Work(object)
    with ThreadPoolExecutor(10) as pool:
        first = pool.submit(flight.do, work)
        assert work.begun.wait(5)
        assert flight.is_running
        rest = [pool.submit(flight.do, work) for _ in range(9)]
        wait_for_visitors(flight, 9)
        assert not any(call.done() for call in rest)
        work.go_on.set()
        results = {id(call.result(5)) for call in [first, *rest]}
    assert len(results) == work.done == 1
    assert not flight.is_running


def test_the_next_call_runs_again() -> None:
    """A call after the end of a run starts another run."""
    flight = SingleFlight[Any]()
    assert flight.do(object) is not flight.do(object)


def test_an_exception() -> None:
    """An exception is raised for all waiting calls, and the next call runs again."""

    def broken() -> None:
        raise ValueError("broken")

    flight, work = SingleFlight[Any](), Work(broken)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(flight.do, work)
        assert work.begun.wait(5)
        second = pool.submit(flight.do, work)
        wait_for_visitors(flight, 1)
        work.go_on.set()
        for call in (first, second):
            with pytest.raises(ValueError, match="broken"):
                call.result(5)
    assert not flight.is_running
    assert flight.do(lambda: 1) == 1
