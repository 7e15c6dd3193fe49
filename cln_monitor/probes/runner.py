"""The one function that runs a probe: it times, counts and sets the outcome on every path."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from collections import deque
from collections.abc import Callable
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

R = TypeVar("R")
T = TypeVar("T")

_log = logging.getLogger(__name__)

_RANDOM = random.SystemRandom()  # the shared generator, and its seed, belong to whoever uses this as a library
_MOST_THREADS = 256  # of a pool, as there are never more calls in flight
_SUSPICIOUS = 8  # calls in a row without an answer


class Run(msgspec.Struct, Generic[T], frozen=True):
    """One run of a probe. ``started_at``: Unix seconds; ``duration``: seconds; ``monotonic``: when it started, too."""

    observation: Observation[T]
    started_at: float
    duration: float
    monotonic: float = 0.0

    @property
    def failure(self) -> Failure | None:
        """Why the run counts as failed, or None when it read all there is."""
        return self.observation.failure


def _shuffled(names: list[str]) -> list[str]:
    return _RANDOM.sample(names, len(names))


def run_probe(
    probe: Probe[T],
    context: ProbeContext,
    pool: Executor,
    clock: Clock,
    order: Callable[[list[str]], list[str]] = _shuffled,
) -> Run[T]:
    """Run ``probe`` once and return what it saw; it never raises for what CLN does.

    The parts are read by this thread and those of ``pool``, by this one alone where none of those can be had. One part
    that fails does not lose the others: the observation says which are missing, and the run counts as failed. The
    connections to CLN are those of this run, and end with it.
    """
    with context.client.run() as client:
        return _run(probe, msgspec.structs.replace(context, client=client), pool, clock, order)


def _run(
    probe: Probe[T], context: ProbeContext, pool: Executor, clock: Clock, order: Callable[[list[str]], list[str]]
) -> Run[T]:
    started_at, started = clock.time(), clock.monotonic()
    context.client.hide_secrets()
    try:
        plan = probe.plan(context)
    except Exception as error:  # noqa: BLE001 # whatever a probe meets, the run has an outcome
        plan = Plan({}, [Missing("", _failure(error, context))], list_known=False)
    planned = tuple(_part(name, reading, clock) for name, reading in plan.read.items())
    outage = _Outage(context, clock)

    def read(name: str) -> Part[T] | Missing | Unavailable:
        return _read_part(name, plan.readers[name], outage, context, clock)

    # In another order each time: where there is time for some keys only, it must not always be the same ones.
    read_parts = _for_each(order(list(plan.readers)), read, pool)
    outcomes = [read_parts[name] for name in plan.readers]
    parts = (*planned, *(outcome for outcome in outcomes if isinstance(outcome, Part)))
    missing = (*plan.missing, *(outcome for outcome in outcomes if isinstance(outcome, Missing)))
    is_empty = plan.list_known and not (parts or missing)
    observation = Observation(
        probe=probe.name,
        account=context.account,
        api=context.client.api,
        observed_at=clock.time(),
        parts=parts,
        missing=missing,
        list_known=plan.list_known,
        empty=Part("", clock.time(), None, clock.monotonic()) if is_empty else UNSET,
        cautions=plan.cautions,
        unavailable=tuple(outcome for outcome in outcomes if isinstance(outcome, Unavailable)),
    )
    return Run(observation, started_at, clock.monotonic() - started, started)


def _for_each(names: list[str], read: Callable[[str], R], pool: Executor) -> dict[str, R]:
    """Return what ``read`` makes of each of ``names``, in this thread and as many of ``pool`` as there are."""
    results: dict[str, R] = {}
    waiting = iter(names)

    def read_on() -> None:
        for name in waiting:
            results[name] = read(name)

    helpers: list[Future[None]] = []
    try:
        with contextlib.suppress(RuntimeError):  # no thread can be started, or the pool is shut down
            # A task a thread: to make one for each name, and to wake up for its result, takes 40 microseconds.
            for _ in range(min(len(names), _MOST_THREADS) - 1):
                helpers.append(pool.submit(read_on))  # noqa: PERF401 # those before one that fails are kept
        read_on()
    finally:
        deque(waiting, 0)  # who is interrupted waits for no more than has begun
        begun = [helper for helper in helpers if not helper.cancel()]
    for helper in begun:
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
        return Unavailable(name, error.what, str(error))
    except Exception as error:  # noqa: BLE001 # one part that fails must not lose the others
        failure = _failure(error, context)
        outage.count(error, failure)
        return Missing(name, failure)
    outage.over()
    return _part(name, reading, clock)


class _Outage:
    """Notices that CLN answers nobody, so that a thousand keys need not all wait to learn it.

    Some slow keys are no outage: before it is called one, CLN is asked for its status. A run that finds nothing but
    slow keys gives up when the next one is due.
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
            text = f"not tried, as {_SUSPICIOUS} calls in a row got no answer; the last: {failure.text}"
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
            pass  # an answer, if not the one that was asked for
        return True


def _failure(error: Exception, context: ProbeContext) -> Failure:
    if isinstance(error, ClnError):
        return failure_of(error)
    if isinstance(error, InvalidArgumentError):
        return Failure(RefusedError.reason, f"nothing was sent: {error}")
    text = context.client.scrub(f"{type(error).__name__}: {error}")
    _log.exception("a probe failed in our own code")
    return Failure(BadAnswerError.reason, f"an error of ours, please report it: {text}")
