"""The one function that runs a probe: it times, counts and sets the outcome on every path."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor
from typing import Generic, TypeVar

import msgspec

from cln_monitor.cln import BadAnswer, ClnError, Clock, TimedOut, Unreachable

from .observation import Failure, Missing, Observation, Part
from .probe import Plan, Probe, Source, failure_of

T = TypeVar("T")

_log = logging.getLogger(__name__)

_STOPPING = Failure(TimedOut.reason, "not read to the end, as we are stopping")
_OUTAGE_AFTER = 8  # calls in a row without an answer; the rest of the keys would only wait for the same silence


class Run(msgspec.Struct, Generic[T], frozen=True):
    """One run of a probe. ``started_at``: Unix seconds; ``duration``: seconds."""

    observation: Observation[T]
    started_at: float
    duration: float

    @property
    def failure(self) -> Failure | None:
        """Why the run counts as failed, or None when it read all there is."""
        return self.observation.failure


def run_probe(probe: Probe[T], source: Source, pool: Executor, clock: Clock) -> Run[T]:
    """Run ``probe`` once and return what it saw; it never raises for what CLN does.

    The parts are read by the threads of ``pool``. One part that fails does not lose the others: the observation
    says which are missing, and the run counts as failed.
    """
    started_at, started = clock.time(), clock.monotonic()
    try:
        plan = probe.plan(source)
    except Exception as error:  # noqa: BLE001 # whatever a probe meets, the run has an outcome
        plan = Plan({}, [Missing("", _failure(error, source))], list_known=False)
    outage = _Outage()
    try:
        outcomes = list(
            pool.map(lambda named: _read_part(*named, outage=outage, source=source, clock=clock), plan.readers.items())
        )
    except (RuntimeError, CancelledError):  # the pool was shut down; a part itself raises nothing
        outcomes = [Missing(name, _STOPPING) for name in plan.readers]
    observation = Observation(
        probe=probe.name,
        account=source.account,
        api=source.client.api,
        observed_at=clock.time(),
        parts=tuple(outcome for outcome in outcomes if isinstance(outcome, Part)),
        missing=(*plan.missing, *(outcome for outcome in outcomes if isinstance(outcome, Missing))),
        list_known=plan.list_known,
    )
    return Run(observation, started_at, clock.monotonic() - started)


def _read_part(
    name: str, reader: Callable[[], T], *, outage: _Outage, source: Source, clock: Clock
) -> Part[T] | Missing:
    if failure := outage.failure:
        return Missing(name, failure)
    try:
        value = reader()
    except Exception as error:  # noqa: BLE001 # one part that fails must not lose the others
        failure = _failure(error, source)
        outage.count(error, failure)
        return Missing(name, failure)
    outage.over()
    return Part(name, clock.time(), value)


class _Outage:
    """Notices that CLN answers nobody, so that a thousand keys need not all wait to learn it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._unanswered = 0
        self.failure: Failure | None = None

    def count(self, error: Exception, failure: Failure) -> None:
        with self._lock:
            if not isinstance(error, Unreachable | TimedOut):
                self._unanswered = 0
                return
            self._unanswered += 1
            if self._unanswered >= _OUTAGE_AFTER:
                text = f"not tried, as {_OUTAGE_AFTER} calls in a row got no answer; the last: {failure.text}"
                self.failure = Failure(failure.reason, text)

    def over(self) -> None:
        with self._lock:
            self._unanswered = 0


def _failure(error: Exception, source: Source) -> Failure:
    if isinstance(error, ClnError):
        return failure_of(error)
    text = source.client.scrub(f"{type(error).__name__}: {error}")
    _log.exception("a probe failed in our own code")
    return Failure(BadAnswer.reason, f"an error of ours, please report it: {text}")
