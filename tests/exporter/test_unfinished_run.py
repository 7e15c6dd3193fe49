"""Tests of the data of a run that has not ended: when they are shown, and until when."""

from __future__ import annotations

from typing import Any

from cln_monitor.exporter.unfinished_run import UnfinishedRun
from cln_monitor.probes import Failure, FirstPoll, Missing, Observation, Part
from tests.helpers.clock import NOW

MAX_AGE = 300.0


def part(name: str, value: object = 1, at: float = 0.0) -> Part[Any]:
    """Return a part that was read at the monotonic time ``at``."""
    return Part(name, NOW + at, value, at)


def observed(*parts: Part[Any]) -> Observation[Any]:
    """Return an observation of ``parts``."""
    return Observation("kernelcare", "acme", "cln.example.net", NOW, parts)


def shown(run: UnfinishedRun) -> list[tuple[str, object]] | None:
    """Return the names and values of the parts that are shown; None if nothing is."""
    return None if run.partial is None else [(part.name, part.value) for part in run.partial.observation.parts]


def test_before_a_run() -> None:
    """Without a run there is nothing to show, and no progress."""
    run = UnfinishedRun()
    assert not run.has_news(1e9)
    assert not run.show(1e9, None, MAX_AGE)
    run.expire(1e9, MAX_AGE)
    assert (run.partial, run.first_poll) == (None, None)


def test_a_second_has_to_pass() -> None:
    """What is shown changes a second after its last change, if a part has been read."""
    run = UnfinishedRun()
    progress = run.begin(observed(), "abc")
    progress.add(Missing("c", Failure("refused", "no")))
    assert not run.show(0.0, None, MAX_AGE)
    assert (shown(run), run.first_poll) == (None, FirstPoll(1, 3))
    progress.add(part("a"))
    assert run.show(0.0, None, MAX_AGE)
    assert not run.has_news(99.0)
    progress.add(part("b"))
    assert not run.show(0.999, None, MAX_AGE)
    assert shown(run) == [("a", 1)]
    assert run.show(1.0, None, MAX_AGE)
    assert shown(run) == [("a", 1), ("b", 1)]
    assert run.partial is not None
    assert run.partial.first_poll == FirstPoll(3, 3)


def test_data_of_finished_runs() -> None:
    """With data of a finished run, what is shown is not of a first poll alone."""
    run = UnfinishedRun()
    run.begin(observed(), "ab").add(part("a", "new"))
    assert run.show(0.0, observed(part("b", "old")), MAX_AGE)
    assert shown(run) == [("a", "new"), ("b", "old")]
    assert run.partial is not None
    assert run.partial.first_poll is None


def test_expiry() -> None:
    """Parts older than max_age are not shown, and disappear when they become so."""
    run = UnfinishedRun()
    progress = run.begin(observed(), "abc")
    progress.add(part("a", at=0.0))
    progress.add(part("b", at=10.0))
    run.show(MAX_AGE + 1, None, MAX_AGE)
    assert shown(run) == [("b", 1)]
    run.expire(MAX_AGE + 10, MAX_AGE)
    assert shown(run) == [("b", 1)]
    run.expire(MAX_AGE + 10.5, MAX_AGE)
    assert shown(run) == []


def test_end() -> None:
    """When a run ends, nothing of it is shown anymore."""
    run = UnfinishedRun()
    run.begin(observed(), "ab").add(part("a"))
    run.show(0.0, None, MAX_AGE)
    run.end()
    assert (run.partial, run.first_poll, run.has_news(9.0), run.or_replaced(None)) == (None, None, False, None)


def test_taking_over() -> None:
    """Data of a run that a reload replaces stay and grow until the next run, and then until that reads them again."""
    replaced, run = UnfinishedRun(), UnfinishedRun()
    progress = replaced.begin(observed(), "abc")
    progress.add(part("a", "old"))
    replaced.show(0.0, None, MAX_AGE)
    run.take_over(replaced)
    assert shown(run) == [("a", "old")]
    assert not run.has_news(5.0)
    progress.add(part("b", "old"))
    assert run.show(5.0, None, MAX_AGE)
    assert shown(run) == [("a", "old"), ("b", "old")]
    run.begin(observed(), "abc").add(part("b", "new"))
    assert run.show(6.0, None, MAX_AGE)
    assert shown(run) == [("b", "new"), ("a", "old")]
    assert run.partial is not None
    assert run.partial.first_poll == FirstPoll(1, 3)
    kept = run.or_replaced(None)
    assert kept is not None
    assert [part.name for part in kept.parts] == ["a", "b"]
    finished = observed(part("z"))
    assert run.or_replaced(finished) is finished


def test_taking_over_twice() -> None:
    """Data of several replaced runs stay."""
    first, second, third = UnfinishedRun(), UnfinishedRun(), UnfinishedRun()
    first.begin(observed(), "abc").add(part("a"))
    second.take_over(first)
    second.begin(observed(), "abc").add(part("b"))
    third.take_over(second)
    third.begin(observed(), "abc").add(part("c"))
    assert third.show(0.0, None, MAX_AGE)
    assert sorted(shown(third) or []) == [("a", 1), ("b", 1), ("c", 1)]
