"""One probe of one account (or of CLN itself): how it last ran, what it last saw, and one run at a time."""

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

from .history import Fall, History, doubted, what_fell
from .single_flight import SingleFlight
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class TargetId:
    """What tells targets apart. ``account`` is ``""`` for a probe of CLN itself; ``api`` is the host of its root."""

    api: str
    account: str
    probe: str


class Target:
    """Runs its probe, one run at a time by ``flight``, and keeps the last good data of it. Safe between threads.

    ``asks``, a digest, is what makes the answers comparable: as long as it stays, data outlive a reload or a restart.
    ``made_from`` is all of the configuration that it comes from: as long as that stays, so does its schedule.
    ``is_tried``: a run of its probe in this process is shown; what it last saw may be of an earlier one.
    ``host_names`` are those of its servers, by id or address, as other targets know them.
    ``said`` is what is odd in what it shows, by the fact; ``newly_odd`` of it came with the last run, and
    ``no_longer_odd`` went with it.
    ``series_dropped`` is how many per-server series its metrics leave out.
    ``told`` is what :meth:`tell` returned, until something else is to be told. ``last_success`` is in Unix seconds,
    ``succeeded_at`` the same moment by the monotonic clock, by which all ages go.
    """

    def __init__(self, probe: Probe[Any], source: ProbeContext, api_url: str, *, asks: str, made_from: object) -> None:
        self.id = TargetId(source.client.api, source.account, probe.name)
        self.api_url = api_url
        self.asks = asks
        self.made_from = made_from
        self.probe = probe
        self.source = source
        self.settings: ProbeSettings = source.settings
        self.observation: Observation[Any] | None = None
        self.last_run: Run[Any] | None = None
        self.last_success: float | None = None
        self.succeeded_at = 0.0
        self.has_changed_state = False
        self.flight: SingleFlight[Run[Any]] = SingleFlight()
        self.is_tried = False
        self.told: bytes | None = None
        self.host_names: dict[str, str] = {}
        self.said: dict[str, Phrase] = {}
        self.newly_odd: list[Phrase] = []
        self.no_longer_odd: list[Phrase] = []
        self.series_dropped = 0
        self.history = History()
        self._fallen: dict[Fall, float] = {}
        self._lock = threading.Lock()

    def view(self, now: float | None = None, *, whole: bool = True) -> ProbeReport:
        """Return what is told of it, with its ages at the monotonic ``now``; unless ``whole``, without what it saw."""
        run, seen = self.last_run, self.observation
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
            parts_ok=len(seen.parts) if seen else 0,
            parts_missing=len(seen.parts_missing) if seen else 0,
            missing=seen.gaps if seen else [],
            shard=None if self.source.shard == WHOLE or not self.probe.is_sharded else str(self.source.shard),
            observation=seen if whole else None,
            host_names=self.host_names if whole else {},
            ages=UNSET if now is None else self.ages(now),
        )

    def ages(self, now: float) -> Ages:
        """Return its ages at the monotonic ``now``."""
        run, seen = self.last_run, self.observation
        return Ages(
            last_run=None if run is None else now - run.monotonic,
            last_success=None if self.last_success is None else now - self.succeeded_at,
            oldest_part=now - seen.oldest if seen and seen.has_data else None,
        )

    def tell(self) -> bytes:
        """Return the whole view, but for its ages, as JSON, which many may ask for between two runs."""
        with self._lock:
            if self.told is None:
                view = self.view()
                seen = view.observation and view.observation.undated()
                self.told = msgspec.json.encode(msgspec.structs.replace(view, observation=seen))
            return self.told

    def take_host_names(self, names: dict[str, str]) -> bool:
        """Show its servers by these host names from now on; tell whether any of them has changed."""
        with self._lock:
            if names == self.host_names:
                return False
            self.host_names, self.told = names, None
            return True

    def inherit(self, former: Target | None) -> bool:
        """Go on with what ``former`` saw where it asked the same; tell whether it needs no poll at once."""
        if former is None or former.asks != self.asks:
            return False
        self.observation = former.observation
        self.last_run = former.last_run
        self.last_success, self.succeeded_at = former.last_success, former.succeeded_at
        self.is_tried = former.is_tried
        self.history, self._fallen = former.history, former._fallen  # noqa: SLF001 # of the same class
        return former.made_from == self.made_from and not former.flight.is_running

    def saved(self) -> Snapshot[Any] | None:
        """Return what of it outlives the exporter, once it has run."""
        with self._lock:
            run, seen = self.last_run, self.observation
            if run is None or seen is None:
                return None
            return Snapshot(self.asks, run.started_at, run.duration, self.last_success, seen.undated(), self.history)

    def restore(self, saved: Snapshot[Any], clock: Clock) -> None:
        """Go on with what an earlier exporter saw, less what is too old; of that one, only times of day are known."""
        now, wall_now = clock.monotonic(), clock.time()
        seen = saved.observation.dated(now, wall_now)
        self.observation = seen.without_expired(now, self.settings.max_age)
        self.last_run = Run(self.observation, saved.started_at, saved.duration, now - (wall_now - saved.started_at))
        self.last_success = saved.last_success
        self.history = saved.history
        self.succeeded_at = now - (wall_now - (saved.last_success or 0.0))

    def run(self, pool: Executor, clock: Clock) -> Run[Any]:
        """Run the probe, keep what it saw, and return the run; who calls minds that there is one at a time."""
        run = self._compared(run_probe(self.probe, self.source, pool, clock))
        self._keep(run, clock.monotonic())
        return run

    def _compared(self, run: Run[Any]) -> Run[Any]:
        """Return ``run`` with what shows only beside the runs before it."""
        if self.observation is not None and run.observation.unavailable:
            run = msgspec.structs.replace(run, observation=run.observation.with_refused(self.observation))
        shard = str(self.source.shard)
        is_comparable = self.history.shard == shard
        fallen = what_fell(self.observation, run.observation) if is_comparable else []
        if run.failure is None:
            self._fallen = {fall: self._fallen.get(fall, run.monotonic) for fall in fallen}
        # Somebody who asks again at once gets the same again; a second poll is one that comes by itself.
        soon = run.monotonic - self.settings.interval / 2
        if doubts := [fall for fall in fallen if self._fallen[fall] > soon]:
            return doubted(run, doubts)
        before = self.history if is_comparable else History(shard)
        self.history, cautions = before.after(run.observation)
        seen = msgspec.structs.replace(run.observation, cautions=(*run.observation.cautions, *cautions))
        return msgspec.structs.replace(run, observation=seen)

    def _keep(self, run: Run[Any], now: float) -> None:
        seen = run.observation
        with self._lock:
            if self.observation is not None:
                seen = seen.merged_with(self.observation, now, self.settings.max_age)
            self.observation = seen
            said, self.said = self.said, {phrase.fact: phrase for phrase in phrases_of(seen.all_cautions)}
            self.newly_odd = [phrase for fact, phrase in self.said.items() if fact not in said]
            self.no_longer_odd = [phrase for fact, phrase in said.items() if fact not in self.said]
            before = self.last_run if self.is_tried else None
            self.has_changed_state = before is None or (before.failure is None) != (run.failure is None)
            self.last_run = run
            if run.failure is None:
                self.last_success, self.succeeded_at = run.observation.observed_at, now
            self.told = None

    def has_expired(self, now: float) -> bool:
        """Tell whether it has parts older than the probe's ``max_age`` at the monotonic ``now``."""
        seen = self.observation
        return seen is not None and now > seen.expires_at(self.settings.max_age)

    def expire(self, now: float) -> bool:
        """Drop the parts older than the probe's ``max_age`` at the monotonic ``now``; tell if there were any."""
        with self._lock:
            if self.observation is None or not self.has_expired(now):
                return False
            self.observation = self.observation.without_expired(now, self.settings.max_age)
            self.told = None
            return True
