"""Runs targets on a schedule: the first time at once, then at their interval, never two runs of one at a time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Container, Iterable
from datetime import timedelta
from uuid import uuid4

import structlog
from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_SCHEDULER_STARTED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.job import Job
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.blocking import BlockingScheduler

from cln_monitor.cln import Clock, ThreadError, Threads

from .scheduler import Every, MonotonicTime
from .target import Target, TargetId

_log = structlog.get_logger(__name__)

_SPREAD = 0.1  # seconds between the first polls of two targets
_LONGEST_SPREAD = 10.0  # seconds between the first and the last of them
_JITTER = 0.05  # of the interval, either way
_MOST_JITTER = 30.0
_MOST_RUNS = 256  # at a time; runs wait for CLN, and how many calls are in flight is limited elsewhere
_HEART = "heart"  # the executor of the heartbeat, which runs that wait for CLN must not hold up
_START = 30.0  # seconds for the scheduler to start


class _Executor(BasePoolExecutor):  # type: ignore[misc] # ships no types
    """Runs jobs in ``threads``."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(threads)


def _apart(polls: int) -> timedelta:
    """Return the time between two of so many polls that would else all begin in one moment."""
    return timedelta(seconds=min(_SPREAD, _LONGEST_SPREAD / max(1, polls)))


class Poller:
    """A schedule of targets; ``run`` is called for each in a thread of its own when its time has come by ``clock``."""

    def __init__(self, run: Callable[[Target], object], clock: Clock) -> None:
        self._run = run
        self._time = MonotonicTime(clock)
        self._jobs: dict[TargetId, Job] = {}
        self._lock = threading.Lock()
        self._under_way: set[TargetId] = set()
        self._asked_meanwhile: set[TargetId] = set()
        self._threads, self._runs, self._heart = Threads(1), Threads(_MOST_RUNS), Threads(1)
        self._scheduler = BlockingScheduler(
            executors={"default": _Executor(self._runs), _HEART: _Executor(self._heart)},
            job_defaults={
                "max_instances": 1,
                # After a pause of the machine each target runs once, however many runs the pause has swallowed.
                "coalesce": True,
                "misfire_grace_time": None,
            },
            timezone=self._time,
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._broke, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Begin to run what is scheduled. Raises ThreadError if there are no threads to do so."""
        for threads in (self._threads, self._runs, self._heart):
            threads.keep(1)
        started = threading.Event()
        self._scheduler.add_listener(lambda _: started.set(), EVENT_SCHEDULER_STARTED)
        self._threads.submit(self._scheduler.start)
        if not started.wait(_START):
            raise ThreadError

    def replace(self, targets: Iterable[Target], unchanged: Container[TargetId]) -> None:
        """Run ``targets`` from now on and no others: at once and a little apart, the ``unchanged`` when it is time."""
        targets = list(targets)
        apart, delay = _apart(len(targets)), timedelta()
        with self._lock:
            former, self._jobs = self._jobs, {}
            for target in targets:
                if target.id in unchanged:
                    job = self._jobs[target.id] = former.pop(target.id)
                    job.modify(args=[target])
                else:
                    self._jobs[target.id] = self._schedule(target, delay)
                    delay += apart
        for job in former.values():
            job.remove()

    def _schedule(self, target: Target, delay: timedelta) -> Job:
        interval = target.settings.interval
        job_id = uuid4().hex
        return self._scheduler.add_job(
            self._poll,
            Every(interval, min(interval * _JITTER, _MOST_JITTER)),
            args=[target],
            kwargs={"job_id": job_id},
            id=job_id,
            name=f"{target.id.probe} of {target.id.account or target.id.api}",
            next_run_time=self._time.now() + delay,
        )

    def _poll(self, target: Target, *, job_id: str) -> None:
        """Run ``target`` for the job of that id, unless a reload has replaced the job while it waited for a thread.

        While a run is under way of what a reload has replaced, one comes when that has ended. Were there one for each
        reload while CLN hangs, they would hold up all polls for long after it is well again.
        """
        with self._lock:
            job = self._jobs.get(target.id)
            if job is None or job.id != job_id:
                return
            if target.id in self._under_way:
                self._asked_meanwhile.add(target.id)
                return
            self._under_way.add(target.id)
        try:
            self._run(*job.args)
        finally:
            with self._lock:
                self._under_way.discard(target.id)
                again = self._jobs.get(target.id) if target.id in self._asked_meanwhile else None
                self._asked_meanwhile.discard(target.id)
            if again is not None:
                with contextlib.suppress(JobLookupError):  # a reload has just removed it
                    again.modify(next_run_time=self._time.now())

    def beat(self, every: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` now and each ``every`` seconds, as long as the schedule is kept."""
        now = self._time.now()
        self._scheduler.add_job(heartbeat, Every(every), executor=_HEART, name="heartbeat", next_run_time=now)

    def stop(self) -> None:
        """Run nothing more, and do not wait for what is running."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for threads in (self._threads, self._runs, self._heart):
            threads.shutdown()

    def _skipped(self, event: JobSubmissionEvent) -> None:
        _log.warning("poll skipped, the one before is still running", poll=self._name(event.job_id))

    def _broke(self, event: JobExecutionEvent) -> None:
        _log.error("poll broken off by an error of ours", poll=self._name(event.job_id), exc_info=event.exception)

    def _name(self, job_id: str) -> str:
        job = self._scheduler.get_job(job_id)
        return "" if job is None else job.name
