"""The schedule of the targets: run each immediately and then at its interval, never twice at the same time."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Container, Iterable
from datetime import datetime, timedelta
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
_MAX_SPREAD = 10.0  # seconds between the first polls of the first and the last target
_JITTER = 0.05  # as a fraction of the interval, in either direction
_MAX_JITTER = 30.0  # seconds
_MAX_RUNS = 256  # at a time; runs mostly wait, and the number of calls in flight is limited elsewhere
_WATCHDOG = "watchdog"  # the executor of the heartbeat, which runs waiting for CLN must not delay
_START_TIMEOUT = 30.0  # seconds


class _Executor(BasePoolExecutor):  # type: ignore[misc] # ships no types
    """An executor of the scheduler that runs jobs in ``threads``."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(threads)


def _spread_delay(polls: int) -> timedelta:
    """Return the delay between two consecutive first polls, which avoids that all ``polls`` start at once."""
    return timedelta(seconds=min(_SPREAD, _MAX_SPREAD / max(1, polls)))


class Poller:
    """Calls ``run`` for each target, in a thread of its own, when it is due by the monotonic time of ``clock``."""

    def __init__(self, run: Callable[[Target], object], clock: Clock) -> None:
        self._run = run
        self._time = MonotonicTime(clock)
        self._jobs: dict[TargetId, Job] = {}
        self._lock = threading.Lock()
        self._running: set[TargetId] = set()
        self._rerun_requested: set[TargetId] = set()
        self._threads, self._runs, self._watchdog = Threads(1), Threads(_MAX_RUNS), Threads(1)
        self._scheduler = BlockingScheduler(
            executors={"default": _Executor(self._runs), _WATCHDOG: _Executor(self._watchdog)},
            job_defaults={
                "max_instances": 1,
                # After the machine was suspended, each target runs once, however many runs were missed.
                "coalesce": True,
                "misfire_grace_time": None,
            },
            timezone=self._time,
        )
        self._scheduler.add_listener(self._on_skipped, EVENT_JOB_MAX_INSTANCES)
        self._scheduler.add_listener(self._on_error, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Start the schedule. Raises ThreadError if its threads cannot be started."""
        for threads in (self._threads, self._runs, self._watchdog):
            threads.keep(1)
        started = threading.Event()
        self._scheduler.add_listener(lambda _: started.set(), EVENT_SCHEDULER_STARTED)
        self._threads.submit(self._scheduler.start)
        if not started.wait(_START_TIMEOUT):
            raise ThreadError

    def replace(self, targets: Iterable[Target], unchanged: Container[TargetId]) -> None:
        """Schedule exactly ``targets``: spread the new ones from now on, and keep the next run of the ``unchanged``."""
        targets = list(targets)
        spread = _spread_delay(len(targets))
        with self._lock:
            first_run = self._time.now()
            previous, self._jobs = self._jobs, {}
            for target in targets:
                if target.id in unchanged:
                    job = self._jobs[target.id] = previous.pop(target.id)
                    job.modify(args=[target])
                else:
                    self._jobs[target.id] = self._schedule(target, first_run)
                    first_run += spread
        for job in previous.values():
            job.remove()

    def _schedule(self, target: Target, first_run: datetime) -> Job:
        interval = target.settings.interval
        job_id = uuid4().hex
        return self._scheduler.add_job(
            self._poll,
            Every(interval, min(interval * _JITTER, _MAX_JITTER)),
            args=[target],
            kwargs={"job_id": job_id},
            id=job_id,
            name=f"{target.id.probe} of {target.id.account or target.id.api}",
            next_run_time=first_run,
        )

    def _poll(self, target: Target, *, job_id: str) -> None:
        """Run ``target`` for the job ``job_id``, unless a reload has replaced the job while it waited for a thread.

        If the run of a replaced target is still in progress, run the new target once after it. Otherwise each reload
        while CLN hangs would add a run, and together they would delay all polls long after CLN has recovered.
        """
        with self._lock:
            job = self._jobs.get(target.id)
            if job is None or job.id != job_id:
                return
            if target.id in self._running:
                self._rerun_requested.add(target.id)
                return
            self._running.add(target.id)
        try:
            self._run(*job.args)
        finally:
            with self._lock:
                self._running.discard(target.id)
                rerun = self._jobs.get(target.id) if target.id in self._rerun_requested else None
                self._rerun_requested.discard(target.id)
            if rerun is not None:
                with contextlib.suppress(JobLookupError):  # removed by a concurrent reload
                    rerun.modify(next_run_time=self._time.now())

    def add_heartbeat(self, interval: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` now and every ``interval`` seconds while the schedule is running."""
        now = self._time.now()
        self._scheduler.add_job(heartbeat, Every(interval), executor=_WATCHDOG, name="heartbeat", next_run_time=now)

    def stop(self) -> None:
        """Stop the schedule without waiting for runs in progress."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for threads in (self._threads, self._runs, self._watchdog):
            threads.shutdown()

    def _on_skipped(self, event: JobSubmissionEvent) -> None:
        _log.warning("poll skipped; the previous run is still in progress", poll=self._name(event.job_id))

    def _on_error(self, event: JobExecutionEvent) -> None:
        poll = self._name(event.job_id)
        _log.error("poll failed: internal error, please report it", poll=poll, exc_info=event.exception)

    def _name(self, job_id: str) -> str:
        job = self._scheduler.get_job(job_id)
        return "" if job is None else job.name
