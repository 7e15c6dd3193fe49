"""The exporter without its web server: polls the targets and renders their data."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from cln_monitor.cln import RateLimiter, Redactor, SystemClock, Threads
from cln_monitor.config import Config, ConfigError, warnings_of
from cln_monitor.policy import Severity
from cln_monitor.probes import ALL_PROBES, HOST_NAME_SOURCES, NAMED_PROBES, HostIndex, Observation, Run, Shard
from cln_monitor.source_kinds import kind_of

from .allocator import release_free_memory
from .metrics import ALL_FAMILIES, render_target
from .metrics.exposition import Exposition, ExpositionStore, Texts
from .own_problems import OwnProblem, OwnProblems
from .poller import Poller
from .self_metrics import SelfMetrics
from .storage.snapshot_store import SnapshotStore
from .target import Target, TargetId
from .target_factory import make_targets, reader_of

_log = structlog.get_logger(__name__)

_MAX_ANSWERS = 40  # threads that answer requests from memory; further requests queue
_MAX_PROBES = 40  # threads of /probe, separate so that scrapes do not wait for CLN
_MAX_LOGGED = 20  # missing parts in one log line
_RESERVED = 2  # answering threads started first, in case no thread can be started later


class Service:
    """Polls the targets of the configuration that ``load`` returns; each reload calls it again. Thread-safe.

    With a directory ``state``, the last good data survive a restart. Requests are answered from memory by the threads
    ``answering``, and by calls to CLN in the threads ``probing``.
    """

    def __init__(
        self,
        load: Callable[[], Config],
        redactor: Redactor,
        clock: SystemClock | None = None,
        state: Path | None = None,
    ) -> None:
        self._load = load
        self._redactor = redactor
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()
        self._poller = Poller(self.run, self._clock)
        self._expositions = ExpositionStore(ALL_FAMILIES)
        self.counters = SelfMetrics()
        self.config: Config
        self.targets: dict[TargetId, Target] = {}
        self._rate_limiter = RateLimiter(1, 0, self._clock)
        self._reload_failed = False
        self._own_problems = OwnProblems(self.counters, self._clock)
        self._hosts: dict[tuple[str, str], tuple[Mapping[str, Observation[Any]], HostIndex]] = {}
        self.answering, self.probing = Threads(_MAX_ANSWERS), Threads(_MAX_PROBES)
        self._state_path = state
        self._state: SnapshotStore | None = None

    def start(self) -> None:
        """Load the configuration, restore the saved state, and start polling.

        Raises ConfigError, StateError, or ThreadError if no threads can be started.
        """
        config = self._load()
        targets = self._make_targets(config)
        if self._state_path is not None:
            self._state = SnapshotStore(self._state_path, self._own_problems.state_not_written)
            self._state.restore(targets, self._clock)
        self._apply(config, targets)
        self.answering.keep(_RESERVED)
        self.probing.keep(1)
        self._poller.start()

    def stop(self) -> None:
        """Stop polling, without waiting for calls in progress, whose results are discarded."""
        with self._lock:
            self.targets = {}
            state, self._state = self._state, None
        self._poller.stop()
        self._clock.stop()
        for threads in (self.answering, self.probing):
            threads.shutdown()
        if state is not None:
            state.close()

    def reload(self) -> ConfigError | OSError | None:
        """Reload the configuration. Return the error if that fails; the previous configuration then stays in use."""
        with self._lock:
            try:
                config = self._load()
                targets = self._make_targets(config)
            except (ConfigError, OSError) as error:
                self.counters.reloaded(None)
                self._reload_failed = True
                _log.error("configuration reload failed; the previous configuration stays in use", error=str(error))
                return error
            self._apply(config, targets)
        _log.info(
            "configuration reloaded",
            accounts=len(config.accounts),
            eportals=len(config.eportals),
            probes=len(self.targets),
        )
        return None

    def _make_targets(self, config: Config) -> list[Target]:
        # The rate limiter is kept, so that the pauses requested by CLN survive a reload.
        self._rate_limiter.resize(config.concurrency, config.requests_per_second)
        return make_targets(config, self._clock, self._redactor, self.counters.observe_request, self._rate_limiter)

    def _apply(self, config: Config, targets: list[Target]) -> None:
        for warning in warnings_of(config):
            _log.warning("configuration warning", warning=warning)
        with self._lock:
            previous, self.targets = self.targets, {target.id: target for target in targets}
            self._hosts.clear()
            self.config = config
            self.counters.set_shard(config.shard)
            for removed in previous.keys() - self.targets.keys():
                self.counters.forget_probe(removed.api, removed.account, removed.probe)
                if self._state is not None:
                    self._state.forget(removed)
            for api in {target.api for target in previous} - {target.api for target in self.targets}:
                self.counters.forget_api(api)
            unchanged = {target.id for target in targets if target.adopt(previous.get(target.id))}
            for target in targets:
                self._update_host_names(target)
                self.counters.start_probe(target.id.api, target.id.account, target.id.probe)
            self._expositions.replace({target.id: self._texts(target) for target in targets})
            self._poller.replace(targets, unchanged)
        for target in previous.values():
            target.context.client.close()
        self.counters.set_tls_verification(is_enabled=not config.tls_config.insecure_skip_verify)
        self.counters.reloaded(self._clock.time())
        self._reload_failed = False

    def run(self, target: Target) -> Run[Any]:
        """Run the probe of ``target`` now, or wait for its run in progress, and return that run."""
        return target.flight.do(lambda: self._run(target))

    def _run(self, target: Target) -> Run[Any]:
        # A pool per run, so that an account with many keys does not delay the probes of others. The rate limiter limits
        # the calls in flight of all runs.
        with Threads(self.config.concurrency - 1) as pool:  # this thread makes calls as well
            run = target.run(pool, self._clock)
        self._publish_run(target, run)
        target.has_run = True
        release_free_memory()
        return run

    def find(self, account: str, probe: str) -> Target | None:
        """Return the target of ``probe`` for ``account``, or for the API root of that account, or None.

        Without an ``account``, return the target of a probe of CLN itself if there is exactly one.
        """
        candidates = [target for target in list(self.targets.values()) if target.id.probe == probe]
        if not account:
            return candidates[0] if len(candidates) == 1 and not candidates[0].probe.per_account else None
        roots = {self.config.api_url_of(entry) for entry in self.config.accounts if entry.name == account}
        found = [
            target
            for target in candidates
            if (target.id.account == account if target.probe.per_account else roots == {target.api_url})
        ]
        return found[0] if found else None

    def reader_elsewhere(self, account: str, probe: str) -> Shard | None:
        """Return which other shard reads ``probe`` of ``account``, or None if none does or this shard reads a part."""
        for source in self.config.sources_of(kind_of(probe)) if probe in ALL_PROBES else ():
            if source.name == account and self.config.settings_of(source, probe).enabled:
                return reader_of(ALL_PROBES[probe], account, self.config.shard)
        return None

    def now(self) -> float:
        """Return the Unix time in seconds."""
        return self._clock.time()

    def monotonic(self) -> float:
        """Return the monotonic time in seconds, from which the ages of data are computed."""
        return self._clock.monotonic()

    def expire(self) -> None:
        """Drop expired data; call this before showing data of finished runs."""
        now = self.monotonic()
        for target in list(self.targets.values()):
            if target.expire(now):
                self._publish(target)
                self._update_host_names_from(target)

    def refresh(self) -> None:
        """Drop expired data, and publish what first polls have read; call this before showing data as they come."""
        now = self.monotonic()
        for target in list(self.targets.values()):
            if target.show_progress(now):
                self._publish(target)
        self.expire()

    def is_fresh(self) -> bool:
        """Return whether :meth:`refresh` would change nothing."""
        now = self.monotonic()
        return not any(target.has_expired(now) or target.has_progress(now) for target in list(self.targets.values()))

    def exposition(self) -> Exposition:
        """Return the exposition of all polled data that have not expired, and of what first polls have read."""
        self.refresh()
        return self._expositions.exposition

    def exposition_of(self, target: Target) -> Exposition:
        """Return the exposition of ``target`` alone."""
        return self._expositions.exposition_of(target.id)

    def not_yet_run(self) -> list[TargetId]:
        """Return the targets without a published run in this process; restored data do not count."""
        return [target.id for target in list(self.targets.values()) if not target.has_run]

    def add_heartbeat(self, interval: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` every ``interval`` seconds while the schedule is running."""
        self._poller.add_heartbeat(interval, heartbeat)

    def status_line(self) -> str:
        """Return the status in one line, without secrets or names."""
        runs = [target.last_run for target in list(self.targets.values())]
        counts = {
            "failing": sum(run is not None and run.failure is not None for run in runs),
            "not run yet": sum(run is None for run in runs),
        }
        states = [f"{count} {state}" for state, count in counts.items() if count] or ["all OK"]
        if self._reload_failed:
            states.append("the last reload failed, the previous configuration is in use")
        return f"{len(runs)} probe{'s' * (len(runs) != 1)} of {self.config.counts}: {', '.join(states)}"

    def problems(self, targets: Iterable[Target]) -> list[OwnProblem]:
        """Return the problems of the exporter itself that concern ``targets``."""
        return self._own_problems.find(self.config, targets)

    def _publish_run(self, target: Target, run: Run[Any]) -> None:
        """Publish the result of ``run``, and log it."""
        labels = {"account": target.id.account, "api": target.id.api, "probe": target.id.probe}
        with self._lock:
            if self.targets.get(target.id) is not target:
                return  # replaced by a reload during the run
            if run.failure is not None:
                self.counters.probe_failed(**labels, reason=run.failure.reason)
            self._update_host_names(target)
            self._publish(target)
            self._update_host_names_from(target)
            if self._state is not None:
                self._state.keep(target)
        seconds = round(run.duration, 3)
        if run.failure is None:
            log = _log.info if target.has_changed_state else _log.debug
            log("probe succeeded", **labels, seconds=seconds, parts=len(run.observation.parts))
        else:
            missing = [str(gap) for gap in run.observation.gaps[:_MAX_LOGGED]]
            more = {"missing": missing} if len(missing) > 1 else {}
            _log.warning(
                "probe failed", **labels, seconds=seconds, reason=run.failure.reason, error=run.failure.text, **more
            )
        for phrase in target.new_phrases:
            log = _log.info if phrase.severity is Severity.INFO else _log.warning
            log("unexpected data", **labels, fact=phrase.fact, detail=phrase.text)
        for phrase in target.resolved_phrases:
            _log.info("unexpected data resolved", **labels, fact=phrase.fact)

    def _update_host_names(self, target: Target) -> bool:
        """Set the host names of the servers of ``target`` from other targets; return whether they have changed."""
        if target.id.probe not in NAMED_PROBES or target.observation is None:
            return False
        return target.set_host_names(self._hosts_of(target.id).names_of(target.observation))

    def _hosts_of(self, account: TargetId) -> HostIndex:
        others = [self.targets.get(TargetId(account.api, account.account, probe)) for probe in HOST_NAME_SOURCES]
        sources = {other.id.probe: other.observation for other in others if other is not None and other.observation}
        known, index = self._hosts.get((account.api, account.account), ({}, HostIndex({})))
        if known.keys() != sources.keys() or any(known[probe] is not sources[probe] for probe in sources):
            index = HostIndex(sources)
            self._hosts[account.api, account.account] = sources, index
        return index

    def _update_host_names_from(self, source: Target) -> None:
        """Update the host names of the servers of other targets after ``source`` has changed."""
        if source.id.probe in HOST_NAME_SOURCES:
            with self._lock:
                for probe in sorted(NAMED_PROBES):
                    target = self.targets.get(TargetId(source.id.api, source.id.account, probe))
                    if target is not None and self._update_host_names(target):
                        self._publish(target)

    def _publish(self, target: Target) -> None:
        """Publish the metrics of ``target``, under the lock, so that an older text never replaces a newer one."""
        with self._lock:
            if self.targets.get(target.id) is target:
                self._expositions.publish(target.id, self._texts(target))

    def _texts(self, target: Target) -> Texts:
        keep = self._expositions.compressor(target.id)
        report = target.report(with_progress=True)
        rendered = render_target(report, target.settings, self.config.max_server_series, keep)
        target.series_dropped = rendered.dropped
        return rendered.texts
