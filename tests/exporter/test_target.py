"""Targets: one run at a time, the last good data kept, inherited over a reload, and dropped when too old."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from cln_monitor.cln import RateLimiter, ReadOnlyClient, Redactor, RefusedError, Transport, TransportSettings
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Ages, Failure, ProbeContext, ProbeReport, Run
from cln_monitor.probes.probe import NotAvailableError, Plan, Reading
from cln_monitor.probes.status import StatusSettings
from tests.helpers.clock import NOW, FakeClock

MAX_AGE = 300.0


class Scripted:
    """A probe whose parts a test sets. ``runs`` counts."""

    name = "scripted"
    settings = StatusSettings
    of_account = True
    is_shared = True

    def __init__(self) -> None:
        self.readers: dict[str, Callable[[], object]] = {}
        self.runs = 0

    def plan(self, _: ProbeContext) -> Plan[object]:
        """Return the readers."""
        self.runs += 1
        return Plan({name: _reading(read) for name, read in self.readers.items()})


def _reading(read: Callable[[], object]) -> Callable[[], Reading[object]]:
    return lambda: Reading(read())


class Targets:
    """Makes targets of one probe, and runs them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.probe = Scripted()
        self.pool = ThreadPoolExecutor(2)
        transport = Transport(TransportSettings(), RateLimiter(1, 0, self.clock), self.clock, Redactor())
        self.client = ReadOnlyClient.over(transport)

    def target(self, *, asks: str = "the same", made_from: object = "the same") -> Target:
        """Return a new target."""
        source = ProbeContext(self.client, StatusSettings(), "acme")
        return Target(self.probe, source, "https://cln.cloudlinux.com/api", asks=asks, made_from=made_from)

    def run(self, target: Target) -> Run[Any]:
        """Run a target once."""
        return target.flight.do(lambda: target.run(self.pool, self.clock))


@pytest.fixture
def targets() -> Iterator[Targets]:
    """What these tests hold."""
    targets = Targets()
    yield targets
    targets.pool.shutdown()
    targets.client.close()


def refuse() -> object:
    """Fail, as CLN does when it says no."""
    raise RefusedError("no")


def unavailable() -> object:
    """Fail, as a part does that CLN does not offer to the account."""
    raise NotAvailableError("b", "CLN refused the request: no")


def parts(target: Target) -> list[str]:
    """Return the names of the parts that a target knows."""
    return [] if target.observation is None else [part.name for part in target.observation.parts]


def undated(view: ProbeReport) -> ProbeReport:
    """Return ``view`` without monotonic times."""
    return msgspec.structs.replace(view, observation=view.observation and view.observation.undated())


def test_before_the_first_run(targets: Targets) -> None:
    """Its id tells what it is; nothing is known yet."""
    target = targets.target()
    assert target.id == TargetId("cln.cloudlinux.com", "acme", "scripted")
    assert (target.observation, target.last_run, target.last_success, target.is_tried) == (None, None, None, False)
    assert (target.view().last_run, target.view().interval) == (None, 60.0)
    assert not target.expire(0.0)


def test_a_run(targets: Targets) -> None:
    """It is returned, and what it saw is kept."""
    targets.probe.readers = {"a": lambda: 1}
    target = targets.target()
    run = targets.run(target)
    assert target.last_run is run
    assert (parts(target), target.last_success, target.view().last_success) == (["a"], NOW, NOW)


def test_a_failed_run_keeps_the_last_good_data(targets: Targets) -> None:
    """Its outcome is told as it is; the data and the time of the last success stay until max_age."""
    targets.probe.readers = {"a": lambda: 1, "b": lambda: 2}
    target = targets.target()
    targets.run(target)
    targets.probe.readers["a"] = refuse
    targets.clock.advance(MAX_AGE)
    run = targets.run(target)
    assert [part.name for part in run.observation.parts] == ["b"]
    assert target.last_run is run
    assert (parts(target), target.last_success) == (["b", "a"], NOW)
    targets.clock.advance(1)
    targets.run(target)
    assert (parts(target), target.last_success) == (["b"], NOW)


def test_expire(targets: Targets) -> None:
    """Parts go one by one when they are too old, at the exact moment, also when nothing runs."""
    targets.probe.readers = {"a": lambda: 1, "b": lambda: 2}
    target = targets.target()
    targets.run(target)
    targets.clock.advance(10)
    targets.probe.readers["a"] = refuse
    targets.run(target)
    assert not target.expire(MAX_AGE)
    assert target.expire(MAX_AGE + 0.5)
    assert parts(target) == ["b"]
    assert not target.expire(MAX_AGE + 0.5)
    assert target.expire(MAX_AGE + 11)
    assert parts(target) == []
    assert not target.expire(10 * MAX_AGE)


def test_tell(targets: Targets) -> None:
    """The view is encoded once, and anew after each run and when something has expired."""
    targets.probe.readers = {"a": lambda: 1}
    target = targets.target()
    told = [target.tell()]
    for change in (lambda: targets.run(target), lambda: target.expire(MAX_AGE + 1)):
        assert target.tell() is told[-1]
        change()
        told.append(target.tell())
        assert told[-1] == msgspec.json.encode(undated(target.view()))
    assert len(set(told)) == 3


def test_view(targets: Targets) -> None:
    """What is told of it: nothing known, then all of it, or all but what it saw."""
    target = targets.target()
    assert (target.view().last_run, target.view().failure, target.view().observation) == (None, None, None)
    targets.probe.readers = {"a": lambda: 1, "b": refuse}
    run = targets.run(target)
    view = target.view()
    assert (view.probe, view.account, view.api) == ("scripted", "acme", "cln.cloudlinux.com")
    assert (view.interval, view.max_age) == (60.0, MAX_AGE)
    assert (view.last_run, view.last_success, view.failure) == (NOW, None, run.failure)
    assert view.observation == run.observation
    assert (view.read, view.lacking) == (1, 1)
    assert target.view(whole=False) == msgspec.structs.replace(view, observation=None)


class TestInherit:
    """What a reload carries over."""

    def test_nothing_from_nobody(self, targets: Targets) -> None:
        """A target that was not there before has to be polled at once."""
        assert not targets.target().inherit(None)

    def test_all_from_the_same(self, targets: Targets) -> None:
        """Data, outcome and schedule."""
        targets.probe.readers = {"a": lambda: 1}
        former, target = targets.target(), targets.target()
        targets.run(former)
        assert target.inherit(former)
        assert (target.observation, target.last_run) == (former.observation, former.last_run)
        assert target.last_success == NOW

    def test_data_but_not_the_schedule(self, targets: Targets) -> None:
        """Other settings, the same question: the data hold, and a poll comes at once."""
        targets.probe.readers = {"a": lambda: 1}
        former = targets.target()
        targets.run(former)
        target = targets.target(made_from="other settings")
        assert not target.inherit(former)
        assert parts(target) == ["a"]

    def test_nothing_from_another_question(self, targets: Targets) -> None:
        """Another login: what was seen is somebody else's."""
        targets.probe.readers = {"a": lambda: 1}
        former = targets.target()
        targets.run(former)
        target = targets.target(asks="another login")
        assert not target.inherit(former)
        assert (target.observation, target.last_run, target.last_success) == (None, None, None)

    def test_a_poll_at_once_while_the_former_runs(self, targets: Targets) -> None:
        """What the former is about to see will not be shown, so the new one asks for itself."""
        begun, go_on = threading.Event(), threading.Event()

        def slowly() -> int:
            begun.set()
            assert go_on.wait(5)
            return 1

        targets.probe.readers = {"a": slowly}
        former = targets.target()
        with ThreadPoolExecutor(1) as visitors:
            visit = visitors.submit(targets.run, former)
            assert begun.wait(5)
            assert not targets.target().inherit(former)
            go_on.set()
            visit.result(5)
        assert targets.target().inherit(former)


def test_saved_and_restored(targets: Targets) -> None:
    """Nothing before the first run; then data, outcome and times, less what is too old, and no run of its own."""
    targets.probe.readers = {"a": lambda: 1, "b": refuse}
    former, target = targets.target(), targets.target()
    assert former.saved() is None
    run = targets.run(former)
    saved = former.saved()
    assert saved is not None
    assert former.observation is not None
    assert (saved.asks, saved.observation, saved.started_at) == (former.asks, former.observation.undated(), NOW)
    later = FakeClock()
    later.advance(MAX_AGE)
    target.restore(saved, later)
    assert target.view() == former.view()
    assert target.ages(MAX_AGE) == former.ages(MAX_AGE) == Ages(MAX_AGE, None, MAX_AGE)
    assert not target.is_tried
    later.advance(1)
    target.restore(saved, later)
    assert parts(target) == []
    assert target.view().failure == run.failure


@pytest.mark.parametrize("jump", [-86400.0, -3600.0, 86400.0, 80 * 365 * 86400.0])
def test_the_clock_is_set(jump: float, targets: Targets) -> None:
    """Data count for max_age and no longer, and ages are what they are, whichever day it is said to be."""
    targets.probe.readers = {"a": lambda: 1, "b": lambda: 2}
    target = targets.target()
    targets.run(target)
    targets.clock.set(jump)
    targets.probe.readers["a"] = refuse
    targets.clock.advance(MAX_AGE)
    targets.run(target)
    assert parts(target) == ["b", "a"]
    assert target.view().last_run == NOW + jump + MAX_AGE
    assert target.ages(targets.clock.monotonic()) == Ages(0.0, MAX_AGE, MAX_AGE)
    assert not target.has_expired(targets.clock.monotonic())
    targets.clock.advance(1)
    assert target.expire(targets.clock.monotonic())
    assert parts(target) == ["b"]


def test_the_observation_is_replaced_not_changed(targets: Targets) -> None:
    """Whoever reads a target meanwhile holds one state."""
    targets.probe.readers = {"a": lambda: 1}
    target = targets.target()
    targets.run(target)
    held = target.observation
    assert held is not None
    before = msgspec.json.encode(held)
    targets.probe.readers = {}
    targets.run(target)
    assert msgspec.json.encode(held) == before
    assert parts(target) == []


def test_what_was_never_there_is_not_available(targets: Targets) -> None:
    """It is no failure, and is told once."""
    target = targets.target()
    targets.probe.readers = {"a": lambda: 1, "b": unavailable}
    assert targets.run(target).failure is None
    assert [phrase.text for phrase in target.newly_odd] == ["not available to this account: b"]
    targets.run(target)
    assert target.newly_odd == []


def test_what_was_there_and_is_refused_now_is_missing(targets: Targets) -> None:
    """Its last data stay until they are too old; from then on it is not available."""
    target = targets.target()
    targets.probe.readers = {"a": lambda: 1, "b": lambda: 2}
    targets.run(target)
    targets.probe.readers["b"] = unavailable
    targets.clock.advance(1)
    run = targets.run(target)
    assert run.failure == Failure("refused", "CLN refused the request: no")
    assert parts(target) == ["a", "b"]
    targets.clock.advance(target.settings.max_age)
    targets.run(target)
    targets.run(target)
    assert (parts(target), targets.run(target).failure) == (["a"], None)


def test_the_only_part_is_refused_now(targets: Targets) -> None:
    """An observation with nothing else does not count as empty."""
    target = targets.target()
    targets.probe.readers = {"b": lambda: 2}
    targets.run(target)
    targets.probe.readers = {"b": unavailable}
    run = targets.run(target)
    assert (run.failure is not None, run.observation.has_data) == (True, False)
