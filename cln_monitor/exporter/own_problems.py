"""Problems of the exporter itself, apart from its probes, as defined by rows of the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry

from cln_monitor import policy
from cln_monitor.cln import Clock
from cln_monitor.config import Config
from cln_monitor.durations import format_age
from cln_monitor.policy import Row
from cln_monitor.source_kinds import SOURCE_KINDS

from .self_metrics import SelfMetrics
from .target import Target

STATE_FAILURE_COUNTS_FOR = 3600
"""Seconds for which a failed write of the state counts as a problem, as in its alert."""
_CLOCK_SKEW = "cln_api_clock_skew_seconds"
_RELOADS = {
    "cln_exporter_config_last_reload_successful": "configuration",
    "cln_exporter_web_config_last_reload_successful": "web configuration (--web.config.file)",
}


class OwnProblem(NamedTuple):
    """A problem of the exporter: the ``row`` of the policy, the text, and the name of the ``alert``.

    ``account`` is empty if the problem does not concern a single account.
    """

    row: Row
    text: str
    alert: str
    account: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the JSON object of the index of ``/api/v1/observations``."""
        severity = "" if self.row.severity is None else self.row.severity.word
        return {"severity": severity, "text": self.text, "account": self.account}


class OwnProblems:
    """Finds the problems of the exporter in its own metrics, which the alerts use as well. Thread-safe."""

    def __init__(self, metrics: SelfMetrics, clock: Clock) -> None:
        self._metrics = metrics
        self._clock = clock
        self._state_failed_at: float | None = None

    def state_not_written(self) -> None:
        """Count an observation that could not be written, and record the time."""
        self._state_failed_at = self._clock.monotonic()
        self._metrics.state_not_written()

    def find(self, config: Config, targets: Iterable[Target]) -> list[OwnProblem]:
        """Return the current problems that concern ``targets``, in the order of the policy."""
        targets = list(targets)
        metrics, failed_at = self._metrics.registry, self._state_failed_at
        return [
            *_failed_reloads(metrics),
            *_clock_skews(metrics, _servers(targets)),
            *_failed_writes(None if failed_at is None else self._clock.monotonic() - failed_at),
            *_dropped_series(targets, config.max_server_series),
            *_unverified_tls(config),
        ]


def _failed_reloads(metrics: CollectorRegistry) -> Iterator[OwnProblem]:
    for name, noun in _RELOADS.items():
        if any(sample.value == 0 for sample in _samples(metrics, name)):
            text = f"The {noun} could not be reloaded; the previous one stays in use. See the log for the error"
            yield OwnProblem(policy.RELOAD_FAILED, text, "ClnConfigReloadFailed")


def _servers(targets: Iterable[Target]) -> dict[str, str]:
    """Return what answers at each API root: CLN, if an ePortal is at the same host."""
    probes = {(target.id.api, target.id.probe) for target in targets}
    return {api: kind.server for kind in reversed(SOURCE_KINDS) for api, probe in probes if probe in kind.probes}


def _clock_skews(metrics: CollectorRegistry, servers: Mapping[str, str]) -> Iterator[OwnProblem]:
    for sample in _samples(metrics, _CLOCK_SKEW):
        api, skew = sample.labels["api"], sample.value
        if api in servers and abs(skew) > policy.MOST_SKEW:
            direction = "behind" if skew > 0 else "ahead of"
            text = (
                f"The clock of the exporter is {format_age(abs(skew))} {direction} the clock of {servers[api]} at {api}"
            )
            yield OwnProblem(policy.CLOCK_SKEW, text, "ClnClockSkew")


def _failed_writes(ago: float | None) -> Iterator[OwnProblem]:
    if ago is not None and ago <= STATE_FAILURE_COUNTS_FOR:
        text = f"The state could not be saved {format_age(ago)} ago; after a restart, data may be older or missing. "
        text += "Check the free space and the permissions of --storage.path"
        yield OwnProblem(policy.STATE_NOT_WRITTEN, text, "ClnStateNotWritten")


def _dropped_series(targets: Iterable[Target], limit: int) -> Iterator[OwnProblem]:
    for target in targets:
        if target.series_dropped:
            series = f"{target.series_dropped} per-server series of {target.id.probe} of {target.id.account}"
            text = f"{series} are left out of the metrics because they exceed max_server_series ({limit})"
            yield OwnProblem(policy.SERIES_DROPPED, text, "ClnSeriesDropped", target.id.account)


def _unverified_tls(config: Config) -> Iterator[OwnProblem]:
    if config.tls_config.insecure_skip_verify:
        text = "TLS certificate verification is disabled (tls_config: insecure_skip_verify): "
        servers = " or ".join(
            kind.servers_of(len(sources)) for kind in SOURCE_KINDS if (sources := config.sources_of(kind))
        )
        text += f"anyone between the exporter and {servers} can read the credentials"
        yield OwnProblem(policy.TLS_UNVERIFIED, text, "ClnTlsVerificationDisabled")


def _samples(metrics: CollectorRegistry, name: str) -> list[Any]:
    restricted = metrics.restricted_registry([name])
    return [sample for metric in restricted.collect() for sample in metric.samples]
