"""Targets: one probe of one account, or of CLN itself, with its last run and its last good data."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET

from cln_monitor.cln import Clock
from cln_monitor.facts import Phrase
from cln_monitor.probes import (
    WHOLE,
    Ages,
    FirstPoll,
    Observation,
    Probe,
    ProbeContext,
    ProbeReport,
    ProbeSettings,
    Progress,
    ReusingProbe,
    Run,
    phrases_of,
    run_probe,
    stale_after_of,
)

from .forms import ReportForms
from .history import EmptiedList, History, emptied_lists, failed_for
from .single_flight import SingleFlight
from .snapshot import Snapshot
from .unfinished_run import UnfinishedRun


@dataclass(frozen=True, slots=True)
class TargetId:
    """Identifies a target. ``api`` is the host of the API root; ``account`` is ``""`` for a probe of CLN itself."""

    api: str
    account: str
    probe: str


class Target:
    """Runs a probe, one run at a time through ``flight``, and keeps the last good data of it. Thread-safe.

    ``identity_digest`` is a digest of the API root, the login and the form of the key labels: while it is the same,
    data survive a reload or a restart. ``config_fingerprint`` is the relevant part of the configuration: while it is
    equal, a reload also keeps the schedule.

    ``observation`` has data of finished runs only. While the probe has never been read completely, the metrics and the
    status page also show what the run in progress has read, and nothing else does: see :meth:`show_progress`.

    ``has_run`` is whether a run in this process has been published; the data may be from an earlier process.
    ``host_names`` are the names of its servers, by id or address, as reported by other targets. ``phrases`` describe
    unexpected data by fact: ``new_phrases`` appeared with the last run, ``resolved_phrases`` disappeared with it.
    ``series_dropped`` is the number of per-server series left out of the metrics. ``last_success`` is in Unix seconds;
    ``succeeded_at`` is the same time by the monotonic clock, from which all ages are computed.
    """

    def __init__(
        self,
        probe: Probe[Any],
        context: ProbeContext,
        api_url: str,
        *,
        identity_digest: str,
        config_fingerprint: object,
    ) -> None:
        self.id = TargetId(context.client.api, context.account, probe.name)
        self.api_url = api_url
        self.identity_digest = identity_digest
        self.config_fingerprint = config_fingerprint
        self.probe = probe
        self.context = context
        self.settings: ProbeSettings = context.settings
        self.observation: Observation[Any] | None = None
        self.last_run: Run[Any] | None = None
        self.last_success: float | None = None
        self.succeeded_at = 0.0
        self.has_changed_state = False
        self.flight: SingleFlight[Run[Any]] = SingleFlight()
        self.has_run = False
        self._forms: ReportForms | None = None
        self.host_names: dict[str, str] = {}
        self.phrases: dict[str, Phrase] = {}
        self.new_phrases: list[Phrase] = []
        self.resolved_phrases: list[Phrase] = []
        self.series_dropped = 0
        self.history = History()
        self._emptied: dict[EmptiedList, float] = {}
        self._unfinished = UnfinishedRun()
        self._lock = threading.Lock()

    def report(self, now: float | None = None, *, with_data: bool = True, with_progress: bool = False) -> ProbeReport:
        """Return the report on the target: with the ages at the monotonic ``now`` in seconds, or without ages.

        Without ``with_data``, the report has neither the observation nor the host names. ``with_progress`` includes
        what :meth:`show_progress` has added to the data of finished runs.
        """
        run, partial = self.last_run, self._unfinished.partial
        observation, first_poll = self.observation, None if with_progress else self.first_poll
        if with_progress and partial is not None:
            observation, first_poll = partial
        return ProbeReport(
            probe=self.id.probe,
            account=self.id.account,
            api=self.id.api,
            interval=self.settings.interval,
            max_age=self.settings.max_age,
            stale_after=stale_after_of(self.settings),
            last_run=None if run is None else run.started_at,
            duration=None if run is None else run.duration,
            last_success=self.last_success,
            failure=None if run is None else run.failure,
            parts_ok=len(observation.parts) if observation else 0,
            parts_missing=len(observation.parts_missing) if observation else 0,
            missing=observation.gaps if observation else [],
            shard=None if self.context.shard == WHOLE or not self.probe.is_sharded else str(self.context.shard),
            observation=observation if with_data else None,
            host_names=self.host_names if with_data else {},
            ages=UNSET if now is None else self.ages(now),
            first_poll=UNSET if first_poll is None else first_poll,
        )

    @property
    def first_poll(self) -> FirstPoll | None:
        """How far the run in progress is, if there are no data of a finished run; otherwise None."""
        return None if self._has_data else self._unfinished.first_poll

    def ages(self, now: float) -> Ages:
        """Return the ages of the data and of the runs, in seconds, at the monotonic ``now``."""
        run, observation = self.last_run, self.observation
        return Ages(
            last_run=None if run is None else now - run.monotonic,
            last_success=None if self.last_success is None else now - self.succeeded_at,
            oldest_part=now - observation.oldest if observation and observation.has_data else None,
        )

    def forms(self) -> ReportForms:
        """Return the report without ages in all forms of the HTTP API, which are kept until the report changes."""
        with self._lock:
            if self._forms is not None:
                return self._forms
            forms = ReportForms(self.report())
            if self.first_poll is None:  # its progress changes all the time
                self._forms = forms
            return forms

    def set_host_names(self, names: dict[str, str]) -> bool:
        """Set the host names of its servers; return whether they have changed."""
        with self._lock:
            if names == self.host_names:
                return False
            self.host_names, self._forms = names, None
            return True

    def adopt(self, previous: Target | None) -> bool:
        """Take over the data of the ``previous`` target if it has the same identity.

        Return whether the schedule can be kept as well: the configuration is unchanged, and no run is in progress.
        """
        if previous is None or previous.identity_digest != self.identity_digest:
            return False
        self.observation = previous.observation
        self.last_run = previous.last_run
        self.last_success, self.succeeded_at = previous.last_success, previous.succeeded_at
        self.has_run = previous.has_run
        self.history, self._emptied = previous.history, previous._emptied  # noqa: SLF001 # of the same class
        if not previous._is_complete:  # noqa: SLF001
            self._unfinished.take_over(previous._unfinished)  # noqa: SLF001
        return previous.config_fingerprint == self.config_fingerprint and not previous.flight.is_running

    def snapshot(self) -> Snapshot[Any] | None:
        """Return what survives a restart, or None before the first run."""
        with self._lock:
            run, observation = self.last_run, self.observation
            if run is None or observation is None:
                return None
            return Snapshot(
                self.identity_digest,
                run.started_at,
                run.duration,
                self.last_success,
                observation.undated(),
                self.history,
            )

    def restore(self, saved: Snapshot[Any], clock: Clock) -> None:
        """Restore the data of an earlier process except expired parts; ages are computed from the wall clock."""
        now, wall_now = clock.monotonic(), clock.time()
        observation = saved.observation.dated(now, wall_now)
        self.observation = observation.without_expired(now, self.settings.max_age)
        self.last_run = Run(self.observation, saved.started_at, saved.duration, now - (wall_now - saved.started_at))
        self.last_success = saved.last_success
        self.history = saved.history
        self.succeeded_at = now - (wall_now - (saved.last_success or 0.0))

    def run(self, pool: Executor, clock: Clock) -> Run[Any]:
        """Run the probe, keep its data, and return the run. Callers must not run it concurrently; see ``flight``."""
        probe = ReusingProbe(self.probe, self.observation)
        run = self._compared(run_probe(probe, self.context, pool, clock, begin=self._begin))
        self._keep(run, clock.monotonic())
        return run

    def _begin(self, start: Observation[Any], names: Collection[str]) -> Progress[Any]:
        with self._lock:
            self._forms = None
            return self._unfinished.begin(start, names)

    @property
    def _has_data(self) -> bool:
        return self.observation is not None and self.observation.has_data

    @property
    def _is_complete(self) -> bool:
        """Whether it has data, and all parts were read at least once: such data are not replaced by those of a part."""
        return self.last_success is not None and self._has_data

    def has_progress(self, now: float) -> bool:
        """Return whether :meth:`show_progress` would add something at the monotonic ``now``."""
        return self._unfinished.has_news(now) and not self._is_complete

    def show_progress(self, now: float) -> bool:
        """Show what the run in progress has read, unless there are complete data; return whether that is something new.

        What is shown changes at most once a second of the monotonic ``now``.
        """
        with self._lock:
            if self._is_complete:
                return False
            return self._unfinished.show(now, self.observation, self.settings.max_age)

    def _compared(self, run: Run[Any]) -> Run[Any]:
        """Return ``run`` with the anomalies that show only in comparison with earlier runs."""
        if self.observation is not None and run.observation.unavailable:
            run = msgspec.structs.replace(run, observation=run.observation.with_refused(self.observation))
        shard = str(self.context.shard)
        is_comparable = self.history.shard == shard
        emptied = emptied_lists(self.observation, run.observation) if is_comparable else []
        if run.failure is None:
            self._emptied = {list_: self._emptied.get(list_, run.monotonic) for list_ in emptied}
        # A repeated /probe request must not count as the second poll, so a minimum time has to pass.
        too_recent = run.monotonic - self.settings.interval / 2
        if doubtful := [list_ for list_ in emptied if self._emptied[list_] > too_recent]:
            return failed_for(run, doubtful)
        before = self.history if is_comparable else History(shard)
        self.history, cautions = before.updated_with(run.observation)
        observation = before.with_missing_checkins(run.observation)
        observation = msgspec.structs.replace(observation, cautions=(*observation.cautions, *cautions))
        return msgspec.structs.replace(run, observation=observation)

    def _keep(self, run: Run[Any], now: float) -> None:
        observation = run.observation
        with self._lock:
            if (earlier := self._unfinished.or_replaced(self.observation)) is not None:
                observation = observation.merged_with(earlier, now, self.settings.max_age)
            self.observation = observation
            self._unfinished.end()
            found = phrases_of(observation.all_cautions, observation.probe)
            old, self.phrases = self.phrases, {phrase.fact: phrase for phrase in found}
            self.new_phrases = [phrase for fact, phrase in self.phrases.items() if fact not in old]
            self.resolved_phrases = [phrase for fact, phrase in old.items() if fact not in self.phrases]
            before = self.last_run if self.has_run else None
            self.has_changed_state = before is None or (before.failure is None) != (run.failure is None)
            self.last_run = run
            if run.failure is None:
                self.last_success, self.succeeded_at = run.observation.observed_at, now
            self._forms = None

    def has_expired(self, now: float) -> bool:
        """Return whether it shows parts older than the probe's ``max_age`` at the monotonic ``now``."""
        partial = self._unfinished.partial
        shown = self.observation if partial is None else partial.observation
        return shown is not None and now > shown.expires_at(self.settings.max_age)

    def expire(self, now: float) -> bool:
        """Drop the parts older than the probe's ``max_age`` at the monotonic ``now``; return whether there were any."""
        with self._lock:
            if not self.has_expired(now):
                return False
            if self.observation is not None:
                self.observation = self.observation.without_expired(now, self.settings.max_age)
            self._unfinished.expire(now, self.settings.max_age)
            self._forms = None
            return True
