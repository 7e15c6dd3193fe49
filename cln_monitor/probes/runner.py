"""The function that runs a probe and returns an outcome in every case, even if the probe raises an exception."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Clock,
    InvalidArgumentError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)

from .observation import Failure, Missing, Observation, Part, Unavailable
from .probe import NotAvailableError, Plan, Probe, ProbeContext, Reading, failure_of
from .progress import Progress

R = TypeVar("R")
T = TypeVar("T")

_log = logging.getLogger(__name__)

_RANDOM = random.SystemRandom()  # users of this library may seed the shared generator
_MOST_THREADS = 256  # of a pool; there are never more calls in flight
_SUSPICIOUS = 8  # consecutive calls without a response


class Run(msgspec.Struct, Generic[T], frozen=True):
    """One run of a probe: its start in Unix seconds and by the ``monotonic`` clock, and its ``duration`` in seconds."""

    observation: Observation[T]
    started_at: float
    duration: float
    monotonic: float = 0.0

    @property
    def failure(self) -> Failure | None:
        """The failure of the run, or None if it read all parts."""
        return self.observation.failure


def _shuffled(names: list[str]) -> list[str]:
    return _RANDOM.sample(names, len(names))


def run_probe(
    probe: Probe[T],
    context: ProbeContext,
    pool: Executor,
    clock: Clock,
    order: Callable[[list[str]], list[str]] = _shuffled,
    *,
    begin: Callable[[Observation[T], Collection[str]], Progress[T]] = Progress,
) -> Run[T]:
    """Run ``probe`` once and return the run; errors of CLN end up in its observation and are not raised.

    ``order`` is that in which the parts are read: by default another one in each run, and after each restart.
    ``begin`` is called with the arguments of :class:`Progress` when the list of parts has been read, and returns the
    progress that the run updates from then on.

    This thread and those of ``pool`` read the parts, or this thread alone if the pool has none. A part that fails does
    not affect the others: the observation lists it as missing, and the run counts as failed. The connections to CLN
    are closed at the end of the run.
    """
    with context.client.run() as client:
        return _run(probe, msgspec.structs.replace(context, client=client), pool, clock, order, begin=begin)


def _run(
    probe: Probe[T],
    context: ProbeContext,
    pool: Executor,
    clock: Clock,
    order: Callable[[list[str]], list[str]],
    *,
    begin: Callable[[Observation[T], Collection[str]], Progress[T]],
) -> Run[T]:
    started_at, started = clock.time(), clock.monotonic()
    context.client.hide_secrets()
    try:
        plan = probe.plan(context)
    except Exception as error:  # noqa: BLE001 # a run has an outcome in every case
        plan = Plan({}, [Missing("", _failure(error, context))], list_known=False)
    start: Observation[T] = Observation(
        probe=probe.name,
        account=context.account,
        api=context.client.api,
        observed_at=clock.time(),
        parts=tuple(_part(name, reading, clock) for name, reading in plan.read.items()),
        list_known=plan.list_known,
        cautions=plan.cautions,
    )
    progress = begin(start, tuple(plan.readers))
    outage = _Outage(context, clock)

    def read(name: str) -> Part[T] | Missing | Unavailable:
        outcome = _read_part(name, plan.readers[name], outage, context, clock)
        progress.add(outcome)
        return outcome

    # In random order: if there is not enough time for all keys, it must not always be the same ones that are missing.
    read_parts = _for_each(order(list(plan.readers)), read, pool)
    outcomes = [read_parts[name] for name in plan.readers]
    parts = (*start.parts, *(outcome for outcome in outcomes if isinstance(outcome, Part)))
    missing = (*plan.missing, *(outcome for outcome in outcomes if isinstance(outcome, Missing)))
    is_empty = plan.list_known and not (parts or missing)
    observation = msgspec.structs.replace(
        start,
        observed_at=clock.time(),
        parts=parts,
        missing=missing,
        empty=Part("", clock.time(), None, clock.monotonic()) if is_empty else UNSET,
        unavailable=tuple(outcome for outcome in outcomes if isinstance(outcome, Unavailable)),
    )
    return Run(observation, started_at, clock.monotonic() - started, started)


def _for_each(names: list[str], read: Callable[[str], R], pool: Executor) -> dict[str, R]:
    """Return the result of ``read`` for each of ``names``, computed in this thread and in those of ``pool``."""
    results: dict[str, R] = {}
    waiting = iter(names)

    def read_on() -> None:
        for name in waiting:
            results[name] = read(name)

    helpers: list[Future[None]] = []
    try:
        with contextlib.suppress(RuntimeError):  # no thread can be started, or the pool is shut down
            # One task per thread: a task per name, and waking up for its result, would take 40 microseconds each.
            for _ in range(min(len(names), _MOST_THREADS) - 1):
                helpers.append(pool.submit(read_on))  # noqa: PERF401 # helpers before a failing submit are kept
        read_on()
    finally:
        deque(waiting, 0)  # when interrupted, wait only for readers that have started
        started = [helper for helper in helpers if not helper.cancel()]
    for helper in started:
        helper.result()
    return results


def _part(name: str, reading: Reading[T], clock: Clock) -> Part[T]:
    return Part(name, clock.time(), reading.value, clock.monotonic(), reading.cautions)


def _read_part(
    name: str, reader: Callable[[], Reading[T]], outage: _Outage, context: ProbeContext, clock: Clock
) -> Part[T] | Missing | Unavailable:
    if failure := outage.failure:
        return Missing(name, failure)
    try:
        reading = reader()
    except NotAvailableError as error:
        outage.over()
        return Unavailable(name, error.subject, str(error))
    except Exception as error:  # noqa: BLE001 # a part that fails must not affect the others
        failure = _failure(error, context)
        outage.count(error, failure)
        return Missing(name, failure)
    outage.over()
    return _part(name, reading, clock)


class _Outage:
    """Detects an outage of CLN, so that not every one of a thousand keys has to time out.

    A few slow keys are not an outage: the status of CLN is requested before an outage is assumed. A run that meets only
    slow keys stops when the next run is due.
    """

    def __init__(self, context: ProbeContext, clock: Clock) -> None:
        self._context = context
        self._clock = clock
        self._next_run = clock.monotonic() + context.settings.interval
        self._lock = threading.Lock()
        self._unanswered = 0
        self.failure: Failure | None = None

    def count(self, error: Exception, failure: Failure) -> None:
        with self._lock:
            self._unanswered = self._unanswered + 1 if isinstance(error, UnreachableError | TimedOutError) else 0
            if self._unanswered < _SUSPICIOUS:
                return
            self._unanswered = 0
        if self._clock.monotonic() >= self._next_run or not self._is_up():
            text = f"not attempted after {_SUSPICIOUS} consecutive requests without a response; last: {failure.text}"
            self.failure = Failure(failure.reason, text)

    def over(self) -> None:
        with self._lock:
            self._unanswered = 0

    def _is_up(self) -> bool:
        try:
            self._context.client.status.flags()
        except (UnreachableError, TimedOutError):
            return False
        except ClnError:
            pass  # an error response is a response
        return True


def _failure(error: Exception, context: ProbeContext) -> Failure:
    if isinstance(error, ClnError):
        return failure_of(error)
    if isinstance(error, InvalidArgumentError):
        return Failure(RefusedError.reason, f"request not sent: {error}")
    text = context.client.scrub(f"{type(error).__name__}: {error}")
    _log.exception("internal error in a probe")
    return Failure(BadAnswerError.reason, f"internal error; see the log, and please report it: {text}")
