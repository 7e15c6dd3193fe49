"""Targets: one probe of one account, or of CLN itself, with its last run and its last good data."""

from __future__ import annotations

import threading
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
    Observation,
    Probe,
    ProbeContext,
    ProbeReport,
    ProbeSettings,
    Run,
    phrases_of,
    run_probe,
    stale_after_of,
)

from .history import EmptiedList, History, emptied_lists, failed_for
from .single_flight import SingleFlight
from .snapshot import Snapshot


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

    ``has_run`` is whether a run in this process has been published; the data may be from an earlier process.
    ``host_names`` are the names of its servers, by id or address, as reported by other targets. ``phrases`` describe
    unexpected data by fact: ``new_phrases`` appeared with the last run, ``resolved_phrases`` disappeared with it.
    ``series_dropped`` is the number of per-server series left out of the metrics. ``cached_json`` is the result of
    :meth:`to_json` until the report changes. ``last_success`` is in Unix seconds; ``succeeded_at`` is the same time by
    the monotonic clock, from which all ages are computed.
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
        self.cached_json: bytes | None = None
        self.host_names: dict[str, str] = {}
        self.phrases: dict[str, Phrase] = {}
        self.new_phrases: list[Phrase] = []
        self.resolved_phrases: list[Phrase] = []
        self.series_dropped = 0
        self.history = History()
        self._emptied: dict[EmptiedList, float] = {}
        self._lock = threading.Lock()

    def report(self, now: float | None = None, *, with_data: bool = True) -> ProbeReport:
        """Return the report on the target: with the ages at the monotonic ``now`` in seconds, or without ages.

        Without ``with_data``, the report has neither the observation nor the host names.
        """
        run, observation = self.last_run, self.observation
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
        )

    def ages(self, now: float) -> Ages:
        """Return the ages of the data and of the runs, in seconds, at the monotonic ``now``."""
        run, observation = self.last_run, self.observation
        return Ages(
            last_run=None if run is None else now - run.monotonic,
            last_success=None if self.last_success is None else now - self.succeeded_at,
            oldest_part=now - observation.oldest if observation and observation.has_data else None,
        )

    def to_json(self) -> bytes:
        """Return the report without ages as JSON, which is cached between runs."""
        with self._lock:
            if self.cached_json is None:
                report = self.report()
                observation = report.observation and report.observation.undated()
                self.cached_json = msgspec.json.encode(msgspec.structs.replace(report, observation=observation))
            return self.cached_json

    def set_host_names(self, names: dict[str, str]) -> bool:
        """Set the host names of its servers; return whether they have changed."""
        with self._lock:
            if names == self.host_names:
                return False
            self.host_names, self.cached_json = names, None
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
        run = self._compared(run_probe(self.probe, self.context, pool, clock))
        self._keep(run, clock.monotonic())
        return run

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
        observation = msgspec.structs.replace(run.observation, cautions=(*run.observation.cautions, *cautions))
        return msgspec.structs.replace(run, observation=observation)

    def _keep(self, run: Run[Any], now: float) -> None:
        observation = run.observation
        with self._lock:
            if self.observation is not None:
                observation = observation.merged_with(self.observation, now, self.settings.max_age)
            self.observation = observation
            old, self.phrases = self.phrases, {phrase.fact: phrase for phrase in phrases_of(observation.all_cautions)}
            self.new_phrases = [phrase for fact, phrase in self.phrases.items() if fact not in old]
            self.resolved_phrases = [phrase for fact, phrase in old.items() if fact not in self.phrases]
            before = self.last_run if self.has_run else None
            self.has_changed_state = before is None or (before.failure is None) != (run.failure is None)
            self.last_run = run
            if run.failure is None:
                self.last_success, self.succeeded_at = run.observation.observed_at, now
            self.cached_json = None

    def has_expired(self, now: float) -> bool:
        """Return whether it has parts older than the probe's ``max_age`` at the monotonic ``now``."""
        observation = self.observation
        return observation is not None and now > observation.expires_at(self.settings.max_age)

    def expire(self, now: float) -> bool:
        """Drop the parts older than the probe's ``max_age`` at the monotonic ``now``; return whether there were any."""
        with self._lock:
            if self.observation is None or not self.has_expired(now):
                return False
            self.observation = self.observation.without_expired(now, self.settings.max_age)
            self.cached_json = None
            return True
