"""The exporter without its web: targets that are polled, what they saw, and the text of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import structlog

from cln_monitor.cln import RateLimiter, Redactor, SystemClock, Threads
from cln_monitor.config import Config, ConfigError, warnings_of
from cln_monitor.policy import Severity
from cln_monitor.probes import PROBES, Observation, Run, Shard

from .host_names import NAMED, SOURCES, HostIndex
from .metrics import ALL_FAMILIES, render_target
from .metrics.exposition import Exposition, Page, page_of
from .metrics.families import Family
from .metrics.probe import dropped_series
from .own_problems import OwnProblem, OwnProblems
from .poller import Poller
from .self_metrics import SelfMetrics
from .storage.snapshot_store import SnapshotStore
from .target import Target, TargetId
from .target_factory import make_targets, reader_of

_log = structlog.get_logger(__name__)

_MOST_ANSWERS = 40  # threads that make pages and lists at a time; more requests queue
_MOST_PROBES = 40  # that wait for /probe: not the same, so that scrapes do not wait for CLN
_MOST_LOGGED = 20  # parts that could not be read, in a line of the log
_KEPT = 2  # threads for answers that are there from the start, as there may be no others later


class Service:
    """Polls what a configuration asks for. ``load`` gives the configuration; it is called again for each reload.

    What it saw is kept over a restart in the folder ``state``, where there is one. Whoever asks it gets what is known
    from the threads ``answering``, and what takes a call of CLN from the threads ``probing``.
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
        self._exposition = Exposition(ALL_FAMILIES)
        self.counters = SelfMetrics()
        self.config: Config
        self.targets: dict[TargetId, Target] = {}
        self._rate_limiter = RateLimiter(1, 0, self._clock)
        self._reload_failed = False
        self._own_problems = OwnProblems(self.counters, self._clock)
        self._hosts: dict[tuple[str, str], tuple[Mapping[str, Observation[Any]], HostIndex]] = {}
        self.answering, self.probing = Threads(_MOST_ANSWERS), Threads(_MOST_PROBES)
        self._state_path = state
        self._state: SnapshotStore | None = None

    def start(self) -> None:
        """Load the configuration, take up what was kept, and begin to poll.

        Raises ConfigError, StateError, or ThreadError if there are no threads for that.
        """
        config = self._load()
        made = self._make_targets(config)
        if self._state_path is not None:
            self._state = SnapshotStore(self._state_path, self._own_problems.state_not_written)
            self._state.restore(made, self._clock)
        self._apply(config, made)
        self.answering.keep(_KEPT)
        self.probing.keep(1)
        self._poller.start()

    def stop(self) -> None:
        """Stop polling, without waiting for calls that are under way; what they still bring is shown no more."""
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
        """Load the configuration anew; return why that failed, in which case the one in use stays."""
        with self._lock:
            try:
                config = self._load()
                made = self._make_targets(config)
            except (ConfigError, OSError) as error:
                self.counters.reloaded(None)
                self._reload_failed = True
                _log.error("configuration not reloaded, the one in use stays", error=str(error))
                return error
            self._apply(config, made)
        _log.info("configuration reloaded", accounts=len(config.accounts), probes=len(self.targets))
        return None

    def _make_targets(self, config: Config) -> list[Target]:
        # The same limits, held to new numbers: the pauses that CLN wants outlive a reload.
        self._rate_limiter.resize(config.concurrency, config.requests_per_second)
        return make_targets(config, self._clock, self._redactor, self.counters.exchanged, self._rate_limiter)

    def _apply(self, config: Config, made: list[Target]) -> None:
        for warning in warnings_of(config):
            _log.warning("configuration allows something unusual", warning=warning)
        with self._lock:
            former, self.targets = self.targets, {target.id: target for target in made}
            self._hosts.clear()
            self.config = config
            self.counters.sharing(config.shard)
            for gone in former.keys() - self.targets.keys():
                self.counters.forget_probe(gone.api, gone.account, gone.probe)
                if self._state is not None:
                    self._state.forget(gone)
            for api in {target.api for target in former} - {target.api for target in self.targets}:
                self.counters.forget_api(api)
            unchanged = {target.id for target in made if target.inherit(former.get(target.id))}
            for target in made:
                self._name_hosts(target)
                self.counters.start_probe(target.id.api, target.id.account, target.id.probe)
            self._exposition.replace({target.id: self._texts(target) for target in made})
            self._poller.replace(made, unchanged)
        for target in former.values():
            target.source.client.close()
        self.counters.trusts_anybody(is_true=config.tls_config.insecure_skip_verify)
        self.counters.reloaded(self._clock.time())
        self._reload_failed = False

    def run(self, target: Target) -> Run[Any]:
        """Run the probe of ``target`` now, or wait for its run that is under way, and return that run."""
        return target.flight.do(lambda: self._run(target))

    def _run(self, target: Target) -> Run[Any]:
        # Workers of its own: many keys of one account must not hold up the probes of others. How many calls are in
        # flight over all is for the limits to say.
        with Threads(self.config.concurrency - 1) as pool:  # and this one
            run = target.run(pool, self._clock)
        self._publish_run(target, run)
        target.is_tried = True
        return run

    def find(self, account: str, probe: str) -> Target | None:
        """Return the target of ``probe`` for ``account``, or of CLN itself as that account reaches it, if there is one.

        Without an ``account``, a probe of CLN itself is found when there is one of it.
        """
        of_probe = [target for target in list(self.targets.values()) if target.id.probe == probe]
        if not account:
            return of_probe[0] if len(of_probe) == 1 and not of_probe[0].probe.per_account else None
        roots = {self.config.api_url_of(each) for each in self.config.accounts if each.name == account}
        found = [
            target
            for target in of_probe
            if (target.id.account == account if target.probe.per_account else roots == {target.api_url})
        ]
        return found[0] if found else None

    def reader_elsewhere(self, account: str, probe: str) -> Shard | None:
        """Return which other shard reads ``probe`` of ``account``; None where none does, or this one has its part."""
        for each in self.config.accounts:
            if each.name == account and probe in each.probes and each.probes[probe].enabled:
                return reader_of(PROBES[probe], account, self.config.shard)
        return None

    def now(self) -> float:
        """Return the Unix time."""
        return self._clock.time()

    def monotonic(self) -> float:
        """Return the monotonic time, by which it tells how old data are."""
        return self._clock.monotonic()

    def expire(self) -> None:
        """Drop what is too old by now: each who shows data does that first."""
        now = self.monotonic()
        for target in list(self.targets.values()):
            if target.expire(now):
                self._publish(target)
                self._name_hosts_by(target)

    def has_expired(self) -> bool:
        """Tell whether :meth:`expire` has something to do."""
        now = self.monotonic()
        return any(target.has_expired(now) for target in list(self.targets.values()))

    def page(self) -> Page:
        """Return all polled data as they stand now; what is too old is not among them."""
        self.expire()
        return self._exposition.page

    def page_of(self, target: Target) -> Page:
        """Return the data of ``target`` alone."""
        return page_of(self._texts(target))

    def untried(self) -> list[TargetId]:
        """Return the targets of whose probe no run is shown yet; what was kept of an earlier exporter is no run."""
        return [target.id for target in list(self.targets.values()) if not target.is_tried]

    def beat(self, every: float, heartbeat: Callable[[], object]) -> None:
        """Call ``heartbeat`` each ``every`` seconds, as long as targets are polled on their schedule."""
        self._poller.beat(every, heartbeat)

    def standing(self) -> str:
        """Return how it stands, in one line of words and numbers that anybody may read."""
        runs = [target.last_run for target in list(self.targets.values())]
        counts = {
            "failing": sum(run is not None and run.failure is not None for run in runs),
            "not run yet": sum(run is None for run in runs),
        }
        said = [f"{count} {what}" for what, count in counts.items() if count] or ["all well"]
        if self._reload_failed:
            said.append("the last reload failed, and the configuration from before it is in use")
        accounts = len(self.config.accounts)
        return f"{len(runs)} probes of {accounts} account{'s' * (accounts != 1)}: {', '.join(said)}"

    def problems(self, targets: Iterable[Target]) -> list[OwnProblem]:
        """Return what is wrong with the exporter itself, as far as that concerns ``targets``."""
        return self._own_problems.of(self.config, targets)

    def _publish_run(self, target: Target, run: Run[Any]) -> None:
        """Show what came of ``run``, and log it."""
        where = {"account": target.id.account, "api": target.id.api, "probe": target.id.probe}
        with self._lock:
            if self.targets.get(target.id) is not target:
                return  # a reload has replaced it while it ran
            if run.failure is not None:
                self.counters.probe_failed(**where, reason=run.failure.reason)
            self._name_hosts(target)
            self._publish(target)
            self._name_hosts_by(target)
            if self._state is not None:
                self._state.keep(target)
        seconds = round(run.duration, 3)
        if run.failure is None:
            log = _log.info if target.has_changed_state else _log.debug
            log("probe succeeded", **where, seconds=seconds, parts=len(run.observation.parts))
        else:
            missing = [str(gap) for gap in run.observation.gaps[:_MOST_LOGGED]]
            more = {"missing": missing} if len(missing) > 1 else {}
            _log.warning(
                "probe failed", **where, seconds=seconds, reason=run.failure.reason, error=run.failure.text, **more
            )
        for phrase in target.newly_odd:
            log = _log.info if phrase.severity is Severity.INFO else _log.warning
            log("odd answer", **where, fact=phrase.fact, odd=phrase.text)
        for phrase in target.no_longer_odd:
            _log.info("odd answer no more", **where, fact=phrase.fact)

    def _name_hosts(self, target: Target) -> bool:
        """Give ``target`` the host names that others know of its servers now; tell whether any of them has changed."""
        if target.id.probe not in NAMED or target.observation is None:
            return False
        return target.take_host_names(self._hosts_of(target.id).names_of(target.observation))

    def _hosts_of(self, account: TargetId) -> HostIndex:
        others = [self.targets.get(TargetId(account.api, account.account, probe)) for probe in SOURCES]
        sources = {other.id.probe: other.observation for other in others if other is not None and other.observation}
        known, index = self._hosts.get((account.api, account.account), ({}, HostIndex({})))
        if known.keys() != sources.keys() or any(known[probe] is not sources[probe] for probe in sources):
            index = HostIndex(sources)
            self._hosts[account.api, account.account] = sources, index
        return index

    def _name_hosts_by(self, source: Target) -> None:
        """Show the servers of other targets by the host names that ``source`` knows now."""
        if source.id.probe in SOURCES:
            with self._lock:
                for probe in sorted(NAMED):
                    target = self.targets.get(TargetId(source.id.api, source.id.account, probe))
                    if target is not None and self._name_hosts(target):
                        self._publish(target)

    def _publish(self, target: Target) -> None:
        """Show how ``target`` stands: one at a time, so that an older text never follows a newer one."""
        with self._lock:
            if self.targets.get(target.id) is target:
                self._exposition.publish(target.id, self._texts(target))

    def _texts(self, target: Target) -> Mapping[Family, bytes]:
        texts = render_target(target.view(), target.settings, self.config.max_server_series)
        target.series_dropped = dropped_series(texts)
        return texts
