"""The schedule of the feed: a round of judging per interval, whose results all sinks get."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from cln_monitor.checks.states import State
from cln_monitor.config import ConfigError

from .config import FeedConfig
from .courier import Courier
from .exporter_reader import ExporterReader
from .judge import Judge
from .result import FeedResult
from .self_metrics import FeedMetrics
from .sinks import SINKS

_log = structlog.get_logger(__name__)

_HANGS_AFTER = 90.0  # seconds; no attempt of a sink takes as long


class Feeder:
    """Judges the services of a configuration and hands the results to the sinks, until it is stopped.

    ``load`` returns the configuration; a later one that is invalid leaves the previous in use. ``alive`` is called with
    a status line every ``heartbeat`` seconds as long as nothing hangs. ``monotonic`` and ``wall`` are the clocks.
    """

    def __init__(
        self,
        load: Callable[[], FeedConfig],
        alive: Callable[[str], object] = lambda _: None,
        *,
        heartbeat: float = 10.0,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._load = load
        self._alive = alive
        self._heartbeat = heartbeat
        self._monotonic = monotonic
        self._wall = wall
        self.config = load()
        self.metrics = FeedMetrics(self.config.sinks)
        self.judge = Judge(self.config.services, self._reader(self.config))
        self.couriers: dict[str, Courier] = {}
        self._wake = threading.Event()
        self._reload = False
        self._reload_failed = False
        self._states: Counter[int] = Counter()
        self._next = monotonic()
        self._hire(self.config)

    def _reader(self, config: FeedConfig) -> ExporterReader:
        return ExporterReader(config, self._beat, self._monotonic)

    def _beat(self) -> None:
        """Show that nothing hangs; a round with many slow responses may take longer than the watchdog waits."""
        if not self.hangs:
            self._alive(self.status)

    def _hire(self, config: FeedConfig) -> None:
        """Make the couriers of new sinks and of those with other settings; dismiss those of previous sinks."""
        for name in [*self.couriers]:
            is_same = config.sinks.get(name) == self.config.sinks.get(name) and config.ttl == self.config.ttl
            if is_same:
                self.couriers[name].clear()
            else:
                self.couriers.pop(name).stop()
        self.metrics.set_sinks(config.sinks)
        for name, settings in config.sinks.items():
            if name not in self.couriers:
                self.couriers[name] = Courier(
                    SINKS[name].make(settings),
                    self.metrics,
                    ttl=config.ttl,
                    longest_delay=config.interval,
                    monotonic=self._monotonic,
                    wall=self._wall,
                )

    def start(self) -> None:
        """Start the threads."""
        for courier in self.couriers.values():
            courier.start()
        threading.Thread(target=self._run, name="judge", daemon=True).start()

    def reload(self) -> None:
        """Let the thread load the configuration again, and judge at once."""
        self._reload = True
        self._wake.set()

    def load_again(self) -> str | None:
        """Replace the configuration, or return why it stays as it is."""
        try:
            config = self._load()
        except ConfigError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 # the previous services are judged on
            _log.exception("internal error; the configuration was not loaded")
            return f"internal error: {type(error).__name__}"
        previous = dict(self.couriers)
        self._hire(config)
        for name, courier in self.couriers.items():
            if courier is not previous.get(name):
                courier.start()
        known_keys = self.judge.key_services if config.exporter == self.config.exporter else None
        self.judge = Judge(config.services, self._reader(config), known_keys)
        self.config = config
        return None

    def run_round(self) -> Sequence[FeedResult]:
        """Judge all services now, and hand the results to the sinks."""
        results = self.judge.judge_all(self._wall())
        self._states = Counter(result.state for result in results)
        for courier in self.couriers.values():
            courier.put(results)
        return results

    @property
    def status(self) -> str:
        """One line about the last round and the sinks."""
        states = [f"{self._states[state]} {state.name}" for state in State if self._states[state]]
        waiting = [f"{name}: {courier.pending} to send" for name, courier in self.couriers.items() if courier.pending]
        failed = ["the last reload failed"] if self._reload_failed else []
        return "; ".join(
            [*failed, f"{self._states.total()} services: {', '.join(states) or 'none judged yet'}", *waiting]
        )

    @property
    def hangs(self) -> bool:
        """Whether a sink has not returned for so long that only a restart helps."""
        now = self._monotonic()
        return any(now - courier.beat_at > _HANGS_AFTER for courier in self.couriers.values())

    def step(self) -> float:
        """Do what is due, and return the seconds until something is due again."""
        if self._reload:
            self._reload = False
            error = self.load_again()
            self._reload_failed = error is not None
            if error is None:
                _log.info("configuration reloaded", services=len(self.config.services))
            else:
                _log.error("failed to reload the configuration; the previous one stays in use", error=error)
            self._next = self._monotonic()
        if self._monotonic() >= self._next:
            try:
                self.run_round()
            except Exception:  # noqa: BLE001 # the next round may succeed; until then freshness does its work
                _log.exception("internal error; the services were not judged")
            # Rounds that were missed are not made up for.
            self._next = max(self._next + self.config.interval, self._monotonic())
        self._beat()
        return max(0.0, self._next - self._monotonic())

    def _run(self) -> None:
        while True:
            self._wake.wait(min(self.step(), self._heartbeat))
            self._wake.clear()
