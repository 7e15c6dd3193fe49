"""Tests of targets: one run at a time; the last good data are kept, adopted on a reload, and expire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from cln_monitor.cln import RateLimiter, ReadOnlyClient, Redactor, RefusedError, Transport, TransportSettings
from cln_monitor.exporter.forms import FormQuery
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Ages, Failure, ProbeContext, ProbeReport, Run
from cln_monitor.probes.probe import NotAvailableError, Plan, Reading
from cln_monitor.probes.status import StatusSettings
from tests.helpers.clock import NOW, FakeClock

MAX_AGE = 300.0


class Scripted:
    """A probe whose parts are set by the test. ``runs`` counts its runs."""

    name = "scripted"
    settings = StatusSettings
    per_account = True
    is_sharded = True

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
    """Creates targets of one probe, and runs them."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.probe = Scripted()
        self.pool = ThreadPoolExecutor(2)
        transport = Transport(TransportSettings(), RateLimiter(1, 0, self.clock), self.clock, Redactor())
        self.client = ReadOnlyClient.over(transport)

    def target(self, *, identity_digest: str = "the same", config_fingerprint: object = "the same") -> Target:
        """Return a new target."""
        context = ProbeContext(self.client, StatusSettings(), "acme")
        return Target(
            self.probe,
            context,
            "https://cln.cloudlinux.com/api",
            identity_digest=identity_digest,
            config_fingerprint=config_fingerprint,
        )

    def run(self, target: Target) -> Run[Any]:
        """Run a target once."""
        return target.flight.do(lambda: target.run(self.pool, self.clock))


@pytest.fixture
def targets() -> Iterator[Targets]:
    """A factory of targets, closed after the test."""
    targets = Targets()
    yield targets
    targets.pool.shutdown()
    targets.client.close()


def refuse() -> object:
    """Fail like a call that CLN refuses."""
    raise RefusedError("no")


def unavailable() -> object:
    """Fail like a part that is not available to the account."""
    raise NotAvailableError("b", "CLN refused the request: no")


def parts(target: Target) -> list[str]:
    """Return the names of the parts of a target's data."""
    return [] if target.observation is None else [part.name for part in target.observation.parts]


def undated(report: ProbeReport) -> ProbeReport:
    """Return ``report`` without monotonic times."""
    return msgspec.structs.replace(report, observation=report.observation and report.observation.undated())


def test_before_the_first_run(targets: Targets) -> None:
    """Before the first run a target has an id but no data."""
    target = targets.target()
    assert target.id == TargetId("cln.cloudlinux.com", "acme", "scripted")
    assert (target.observation, target.last_run, target.last_success, target.has_run) == (None, None, None, False)
    assert (target.report().last_run, target.report().interval) == (None, 60.0)
    assert not target.expire(0.0)


def test_a_run(targets: Targets) -> None:
    """A run is returned, and its data are kept."""
    targets.probe.readers = {"a": lambda: 1}
    target = targets.target()
    run = targets.run(target)
    assert target.last_run is run
    assert (parts(target), target.last_success, target.report().last_success) == (["a"], NOW, NOW)


def test_a_failed_run_keeps_the_last_good_data(targets: Targets) -> None:
    """After a failed run the data and the time of the last success stay until max_age."""
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
    """Each part expires exactly after max_age, even without a run."""
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


def test_forms(targets: Targets) -> None:
    """The report is encoded once, and again after each run and each expiry."""
    targets.probe.readers = {"a": lambda: 1}
    target = targets.target()
    whole = FormQuery()
    encoded = [target.forms().encoded(whole, 0.0)]
    for change in (lambda: targets.run(target), lambda: target.expire(MAX_AGE + 1)):
        assert target.forms().encoded(whole, 0.0) is encoded[-1]
        change()
        encoded.append(target.forms().encoded(whole, 0.0))
        assert encoded[-1].text == msgspec.json.encode(undated(target.report()))
    assert len(set(encoded)) == 3


def test_report(targets: Targets) -> None:
    """A report has no data before the first run, then all data, or without them if requested."""
    target = targets.target()
    assert (target.report().last_run, target.report().failure, target.report().observation) == (None, None, None)
    targets.probe.readers = {"a": lambda: 1, "b": refuse}
    run = targets.run(target)
    report = target.report()
    assert (report.probe, report.account, report.api) == ("scripted", "acme", "cln.cloudlinux.com")
    assert (report.interval, report.max_age) == (60.0, MAX_AGE)
    assert (report.last_run, report.last_success, report.failure) == (NOW, None, run.failure)
    assert report.observation == run.observation
    assert (report.parts_ok, report.parts_missing) == (1, 1)
    assert target.report(with_data=False) == msgspec.structs.replace(report, observation=None)


class TestAdopt:
    """Tests of what a reload carries over from the previous target."""

    def test_a_new_target(self, targets: Targets) -> None:
        """A target without a previous one needs a poll at once."""
        assert not targets.target().adopt(None)

    def test_an_unchanged_target(self, targets: Targets) -> None:
        """An unchanged target adopts the data, the last run and the schedule."""
        targets.probe.readers = {"a": lambda: 1}
        previous, target = targets.target(), targets.target()
        targets.run(previous)
        assert target.adopt(previous)
        assert (target.observation, target.last_run) == (previous.observation, previous.last_run)
        assert target.last_success == NOW

    def test_changed_settings(self, targets: Targets) -> None:
        """A target with changed settings adopts the data and needs a poll at once."""
        targets.probe.readers = {"a": lambda: 1}
        previous = targets.target()
        targets.run(previous)
        target = targets.target(config_fingerprint="other settings")
        assert not target.adopt(previous)
        assert parts(target) == ["a"]

    def test_a_changed_identity(self, targets: Targets) -> None:
        """A target of another login adopts nothing."""
        targets.probe.readers = {"a": lambda: 1}
        previous = targets.target()
        targets.run(previous)
        target = targets.target(identity_digest="another login")
        assert not target.adopt(previous)
        assert (target.observation, target.last_run, target.last_success) == (None, None, None)

    def test_while_the_previous_target_runs(self, targets: Targets) -> None:
        """While the previous target runs, the new one needs a poll, as the result of that run is discarded."""
        begun, go_on = threading.Event(), threading.Event()

        def slowly() -> int:
            begun.set()
            assert go_on.wait(5)
            return 1

        targets.probe.readers = {"a": slowly}
        previous = targets.target()
        with ThreadPoolExecutor(1) as visitors:
            visit = visitors.submit(targets.run, previous)
            assert begun.wait(5)
            assert not targets.target().adopt(previous)
            go_on.set()
            visit.result(5)
        assert targets.target().adopt(previous)


def test_snapshot_and_restore(targets: Targets) -> None:
    """A snapshot exists after the first run; restoring it brings back the data that have not expired, but no run."""
    targets.probe.readers = {"a": lambda: 1, "b": refuse}
    previous, target = targets.target(), targets.target()
    assert previous.snapshot() is None
    run = targets.run(previous)
    saved = previous.snapshot()
    assert saved is not None
    assert previous.observation is not None
    assert (saved.identity_digest, saved.started_at) == (previous.identity_digest, NOW)
    assert saved.observation == previous.observation.undated()
    later = FakeClock()
    later.advance(MAX_AGE)
    target.restore(saved, later)
    assert target.report() == previous.report()
    assert target.ages(MAX_AGE) == previous.ages(MAX_AGE) == Ages(MAX_AGE, None, MAX_AGE)
    assert not target.has_run
    later.advance(1)
    target.restore(saved, later)
    assert parts(target) == []
    assert target.report().failure == run.failure


@pytest.mark.parametrize("jump", [-86400.0, -3600.0, 86400.0, 80 * 365 * 86400.0])
def test_setting_the_wall_clock(jump: float, targets: Targets) -> None:
    """Setting the wall clock changes neither the expiry nor the ages of data."""
    targets.probe.readers = {"a": lambda: 1, "b": lambda: 2}
    target = targets.target()
    targets.run(target)
    targets.clock.set(jump)
    targets.probe.readers["a"] = refuse
    targets.clock.advance(MAX_AGE)
    targets.run(target)
    assert parts(target) == ["b", "a"]
    assert target.report().last_run == NOW + jump + MAX_AGE
    assert target.ages(targets.clock.monotonic()) == Ages(0.0, MAX_AGE, MAX_AGE)
    assert not target.has_expired(targets.clock.monotonic())
    targets.clock.advance(1)
    assert target.expire(targets.clock.monotonic())
    assert parts(target) == ["b"]


def test_the_observation_is_replaced_not_changed(targets: Targets) -> None:
    """A run replaces the observation of a target and does not modify the old one."""
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


def test_a_part_that_was_never_available(targets: Targets) -> None:
    """A part that was never available is not a failure, and is reported once."""
    target = targets.target()
    targets.probe.readers = {"a": lambda: 1, "b": unavailable}
    assert targets.run(target).failure is None
    assert [phrase.text for phrase in target.new_phrases] == ["not available to this account: b"]
    targets.run(target)
    assert target.new_phrases == []


def test_a_part_that_is_no_longer_available(targets: Targets) -> None:
    """A part that becomes unavailable is a failure until its last data expire, and is not available from then on."""
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
    """An observation whose only part becomes unavailable does not count as empty."""
    target = targets.target()
    targets.probe.readers = {"b": lambda: 2}
    targets.run(target)
    targets.probe.readers = {"b": unavailable}
    run = targets.run(target)
    assert (run.failure is not None, run.observation.has_data) == (True, False)
