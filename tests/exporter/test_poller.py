"""Tests of the schedule: first runs, one run at a time, one run after a pause, and changes on a reload."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import cast

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MAX_INSTANCES
from apscheduler.job import Job
from structlog.testing import capture_logs

from cln_monitor.cln import Clock, SystemClock
from cln_monitor.exporter import poller as poller_module
from cln_monitor.exporter.poller import Poller
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import Duration
from cln_monitor.probes.status import StatusSettings
from tests.helpers.clock import FakeClock, TickingClock

LONG = 3600.0  # seconds between polls: longer than any test


@dataclass
class Polled:
    """A poller that records its runs. ``ran`` has the targets in the order of their runs."""

    clock: Clock = field(default_factory=SystemClock)
    ran: list[object] = field(default_factory=list)
    runs: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    go_on: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def __post_init__(self) -> None:
        self.go_on.set()
        self.poller = Poller(self.run, self.clock)

    def now(self) -> datetime:
        """Return the time of the scheduler."""
        return self.poller._time.now()

    def run(self, target: object) -> None:
        """Record a run, and block until ``go_on`` is set."""
        self.ran.append(target)
        self.runs.release()
        assert self.go_on.wait(5)
        if self.error is not None:
            raise self.error

    def wait_for_run(self) -> None:
        """Wait for the start of the next run."""
        assert self.runs.acquire(timeout=5), "no run came"

    def job(self, target: Target) -> Job:
        """Return the job of a target."""
        return self.poller._jobs[target.id]

    def next_run(self, target: Target) -> datetime:
        """Return the time of the next run of a target."""
        with self.poller._scheduler._jobstores_lock:  # held while a run is started and the next one is scheduled
            moment: datetime = self.job(target).next_run_time
        return moment

    def due_in(self, target: Target) -> float:
        """Return the seconds until the next run of a target."""
        return (self.next_run(target) - self.now()).total_seconds()

    def event(self, kind: int) -> threading.Event:
        """Return an event that is set on the next scheduler event of ``kind``."""
        happened = threading.Event()
        self.poller._scheduler.add_listener(lambda _: happened.set(), kind)
        return happened


@dataclass
class _Target:
    id: TargetId
    settings: StatusSettings


def target(name: str, interval: float = LONG) -> Target:
    """Return a target with the attributes that a poller uses."""
    return cast("Target", _Target(TargetId("cln", name, "status"), StatusSettings(interval=Duration(interval))))


@pytest.fixture
def polled() -> Iterator[Polled]:
    """A poller that is stopped after the test."""
    polled = Polled()
    yield polled
    polled.go_on.set()
    polled.poller.stop()


def test_first_runs_are_immediate(polled: Polled) -> None:
    """Each target runs as soon as the poller starts, in a thread of its own."""
    one, two = target("one"), target("two")
    polled.go_on.clear()
    polled.poller.replace([one, two], set())
    assert polled.ran == []
    polled.poller.start()
    polled.wait_for_run()
    polled.wait_for_run()
    assert polled.ran == [one, two]
    assert all(0.9 * LONG < polled.due_in(item) < 1.1 * LONG for item in (one, two))


def test_first_runs_are_spread() -> None:
    """The first runs of targets are 0.1 s apart, however long it takes to schedule them."""
    clock = TickingClock()
    clock.tick = 1
    polled = Polled(clock)
    targets = [target(str(number)) for number in range(20)]
    now = polled.now()
    polled.poller.replace(targets, set())
    moments = [polled.next_run(item) for item in targets]
    assert {later - earlier for earlier, later in pairwise(moments)} == {timedelta(seconds=0.1)}
    assert now < moments[0] < polled.now()


@pytest.mark.parametrize(("interval", "jitter"), [(60.0, 3.0), (3600.0, 30.0)])
def test_later_runs_are_jittered(interval: float, jitter: float, polled: Polled) -> None:
    """The jitter is a twentieth of the interval, at most 30 s."""
    one = target("one", interval)
    polled.poller.replace([one], set())
    trigger = polled.job(one).trigger
    assert (trigger.interval, trigger.jitter) == (interval, jitter)


def test_one_run_of_a_target_at_a_time(polled: Polled) -> None:
    """A poll that is due while the previous one is still running is skipped and logged."""
    one = target("one")
    skipped = polled.event(EVENT_JOB_MAX_INSTANCES)
    polled.go_on.clear()
    polled.poller.replace([one], set())
    with capture_logs() as logs:
        polled.poller.start()
        polled.wait_for_run()
        polled.job(one).modify(next_run_time=polled.now())
        assert skipped.wait(5)
    assert polled.ran == [one]
    assert [(log["event"], log["poll"]) for log in logs] == [
        ("poll skipped; the previous run is still in progress", "status of one")
    ]


def test_one_run_after_a_pause(polled: Polled) -> None:
    """After a day of suspension each target is polled once."""
    one = target("one")
    done = polled.event(EVENT_JOB_EXECUTED)
    polled.poller.replace([one], set())
    polled.job(one).modify(next_run_time=polled.now() - timedelta(days=1))
    polled.poller.start()
    assert done.wait(5)
    assert polled.ran == [one]
    assert 0.9 * LONG < polled.due_in(one) < 1.1 * LONG


JUMPS = {
    "an hour ahead": timedelta(hours=1),
    "a day back": timedelta(days=-1),
    "10 years ahead": timedelta(days=3653),
    "80 years ahead": timedelta(days=29220),
    "50 years back": timedelta(days=-18262),
}


@pytest.mark.parametrize("jump", JUMPS)
def test_setting_the_wall_clock(jump: str, polled: Polled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A jump of the wall clock neither delays polls nor causes additional ones."""

    class Jumped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # a plain datetime
            if tz is polled.poller._time:
                return tz.fromutc(datetime.now(UTC) + JUMPS[jump])  # like datetime.now
            return datetime.now(tz) + JUMPS[jump]

    one, two = target("one"), target("two", 0.2)
    polled.poller.replace([one, two], set())
    polled.poller.start()
    polled.wait_for_run()
    polled.wait_for_run()
    before = polled.next_run(one)
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Jumped)
    monkeypatch.setattr("cln_monitor.exporter.scheduler.datetime", Jumped)
    for _ in range(3):
        polled.wait_for_run()
    assert polled.ran.count(one) == 1
    assert polled.next_run(one) == before


@pytest.mark.parametrize("seconds", [3600.0, 80 * 366 * 86400.0])
def test_a_jump_of_the_monotonic_clock(seconds: float) -> None:
    """After a pause of any length each target is polled once, without a delay."""
    clock = FakeClock()
    polled = Polled(clock)
    one = target("one", 1)
    polled.poller.replace([one], set())
    polled.poller.start()
    polled.wait_for_run()
    skipped = polled.event(EVENT_JOB_MAX_INSTANCES)
    clock.advance(seconds)
    polled.poller._scheduler.wakeup()
    polled.wait_for_run()
    assert 0.9 < polled.due_in(one) < 1.1
    assert polled.ran == [one, one]
    assert not skipped.is_set()
    polled.poller.stop()


def test_replaced_targets_do_not_run(polled: Polled) -> None:
    """Removed targets have no job, and new ones run immediately."""
    one, two = target("one"), target("two")
    polled.poller.replace([one], set())
    polled.poller.replace([two], set())
    assert [job.args for job in polled.poller._scheduler.get_jobs()] == [(two,)]
    polled.poller.start()
    polled.wait_for_run()
    assert polled.ran == [two]
    polled.poller.replace([], set())
    assert polled.poller._scheduler.get_jobs() == []


def test_unchanged_targets_keep_their_schedule(polled: Polled) -> None:
    """An unchanged target keeps its schedule on a reload, and its next run is of the new target."""
    polled.poller.start()
    one = target("one")
    polled.poller.replace([one], set())
    polled.wait_for_run()
    before = polled.next_run(one)
    again, two = target("one"), target("two")
    polled.poller.replace([again, two], {again.id})
    polled.wait_for_run()
    assert polled.ran == [one, two]
    assert polled.next_run(again) == before
    polled.job(again).modify(next_run_time=polled.now())
    polled.wait_for_run()
    assert polled.ran[2] is again


def test_changed_targets_run_immediately(polled: Polled) -> None:
    """A changed target runs immediately, and then at its new interval."""
    polled.poller.start()
    one, changed = target("one"), target("one", 60)
    polled.poller.replace([one], set())
    polled.wait_for_run()
    polled.poller.replace([changed], set())
    polled.wait_for_run()
    assert polled.ran == [one, changed]
    assert [job.trigger.interval for job in polled.poller._scheduler.get_jobs()] == [60]


def test_reloads_during_a_run_cause_one_run(polled: Polled) -> None:
    """Several reloads during a run are followed by a single run of the last target."""
    polled.poller.start()
    polled.go_on.clear()
    targets = [target("one") for _ in range(4)]
    polled.poller.replace(targets[:1], set())
    polled.wait_for_run()
    for replacement in targets[1:]:
        begun = polled.event(EVENT_JOB_EXECUTED)
        polled.poller.replace([replacement], set())
        assert begun.wait(5)
    assert polled.ran == targets[:1]
    polled.go_on.set()
    polled.wait_for_run()
    assert polled.ran == [targets[0], targets[-1]]
    polled.poller.replace([], set())  # a pending run of a removed target is canceled


def test_an_internal_error_in_a_run(polled: Polled) -> None:
    """An internal error in a run is logged, and the target is still scheduled."""
    one = target("one")
    failed = polled.event(EVENT_JOB_ERROR)
    polled.error = ValueError("oops")
    polled.poller.replace([one], set())
    with capture_logs() as logs:
        polled.poller.start()
        assert failed.wait(5)
    assert [(log["event"], log["poll"], log["exc_info"]) for log in logs] == [
        ("poll failed: internal error, please report it", "status of one", polled.error)
    ]
    assert polled.due_in(one) > 0


def test_stop_does_not_wait(polled: Polled) -> None:
    """Stopping does not wait for a run in progress, and stopping twice is not an error."""
    polled.go_on.clear()
    polled.poller.replace([target("one")], set())
    polled.poller.start()
    polled.wait_for_run()
    stopping = threading.Thread(target=polled.poller.stop, daemon=True)
    stopping.start()
    stopping.join(4)  # the run goes on for longer
    assert not stopping.is_alive()
    assert not polled.poller._scheduler.running
    polled.poller.stop()


def test_stop_before_the_start(polled: Polled) -> None:
    """A poller that was never started can be stopped."""
    polled.poller.stop()


def test_the_heartbeat_continues_while_runs_wait(polled: Polled) -> None:
    """The heartbeat is called immediately and at its interval while all other threads wait."""
    beats = threading.Semaphore(0)
    polled.go_on.clear()
    polled.poller.replace([target("one")], set())
    polled.poller.start()
    polled.wait_for_run()
    polled.poller._scheduler._lookup_executor("default")._pool._most = 1  # the only one, which waits
    polled.poller.add_heartbeat(0.05, beats.release)
    assert all(beats.acquire(timeout=5) for _ in range(3))


def test_the_heartbeat_stops_with_the_schedule(polled: Polled) -> None:
    """A schedule that hangs, here in its lock, has no heartbeat even if threads are still running."""
    beats = threading.Semaphore(0)
    polled.poller.start()
    polled.poller.add_heartbeat(0.05, beats.release)
    assert beats.acquire(timeout=5)
    with polled.poller._scheduler._jobstores_lock:
        watchdog = polled.poller._scheduler._lookup_executor(poller_module._WATCHDOG)
        watchdog._pool.submit(int).result(5)  # wait for heartbeats in progress
        while beats.acquire(blocking=False):
            pass
        assert not beats.acquire(timeout=0.3)
    assert beats.acquire(timeout=5)
