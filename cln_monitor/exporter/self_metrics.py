"""What the exporter counts of itself, kept by ``prometheus_client``."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics_text
from prometheus_client.registry import Collector

from cln_monitor import __version__
from cln_monitor.cln import REASONS, Exchange
from cln_monitor.probes import Shard

_DURATIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)


_EOF = b"# EOF\n"
_FORMATS: dict[bool, tuple[Callable[[Collector], bytes], str]] = {
    False: (generate_latest, CONTENT_TYPE_PLAIN_0_0_4),
    True: (openmetrics_text.generate_latest, openmetrics_text.CONTENT_TYPE_LATEST),
}

disable_created_metrics()  # type: ignore[no-untyped-call] # untyped there; they double each counter, and nothing reads them


_log = structlog.get_logger(__name__)


class SelfMetrics:
    """The exporter's own metrics, in a registry of their own: those of the process are read for each scrape, the others
    written anew when one has changed."""

    def __init__(self) -> None:
        self._of_process = CollectorRegistry()
        ProcessCollector(registry=self._of_process)
        PlatformCollector(registry=self._of_process)
        GCCollector(registry=self._of_process)
        self._rendered: dict[bool, bytes] = {}
        registry = self.registry = CollectorRegistry()
        probe_labels = ("api", "account", "probe", "reason")
        self._failures = Counter(
            "cln_probe_failures", "Runs of the probe that failed, by reason.", probe_labels, registry=registry
        )
        self._requests = Counter(
            "cln_api_requests",
            "Requests sent to CLN; code is the HTTP status, or the reason why there was none.",
            ("api", "endpoint", "code"),
            registry=registry,
        )
        self._durations = Histogram(
            "cln_api_request_duration_seconds",
            "How long requests to CLN took, the whole body read.",
            ("api", "endpoint"),
            buckets=_DURATIONS,
            registry=registry,
        )
        self._skew = Gauge(
            "cln_api_clock_skew_seconds",
            "The Date header of CLN's last answer that came from no cache less our clock, positive when CLN is ahead.",
            ("api",),
            registry=registry,
        )
        Gauge(
            "cln_exporter_build_info",
            "The exporter and the Python that runs it, always 1.",
            ("version", "python_version"),
            registry=registry,
        ).labels(__version__, platform.python_version()).set(1)
        self._shard_info = Gauge(
            "cln_exporter_shard_info",
            "Which of the exporters that share the keys this one is, shard from 0 to shards - 1, always 1.",
            ("shard", "shards"),
            registry=registry,
        )
        self._shards = Gauge(
            "cln_exporter_shards",
            "How many exporters share the keys, as configured; 1 where this one watches all of them.",
            registry=registry,
        )
        self._reload_successful = Gauge(
            "cln_exporter_config_last_reload_successful",
            "Whether the last attempt to load the configuration succeeded.",
            registry=registry,
        )
        self._reload_success_time = Gauge(
            "cln_exporter_config_last_reload_success_timestamp_seconds",
            "Unix time at which the configuration was last loaded.",
            registry=registry,
        )

        self._web_reload_successful = Gauge(
            "cln_exporter_web_config_last_reload_successful",
            "Whether the last attempt to read --web.config.file succeeded; 1 also without that file.",
            registry=registry,
        )
        self._web_reload_successful.set(1)

        self._tls_unverified = Gauge(
            "cln_exporter_tls_verification_disabled",
            "Whether the configuration lets anybody be taken for CLN, insecure_skip_verify of tls_config.",
            registry=registry,
        )
        self._state_failures = Counter(
            "cln_exporter_state_write_failures",
            "Observations that could not be written to --storage.path, each attempt counted.",
            registry=registry,
        )
        self._log_dropped = Counter(
            "cln_exporter_log_messages_dropped",
            "Lines of the log that were dropped, as whoever reads it stands still or has gone, or its disk is full.",
            registry=registry,
        )

    def state_not_written(self) -> None:
        """Count an observation that a restart would not bring back."""
        self._state_failures.inc()
        self._changed()

    def log_messages_dropped(self, count: int) -> None:
        """Count messages that nobody will read."""
        self._log_dropped.inc(count)
        self._changed()

    def sharing(self, shard: Shard) -> None:
        """Show which shard this exporter is."""
        self._shard_info.clear()
        self._shard_info.labels(str(shard.index), str(shard.count)).set(1)
        self._shards.set(shard.count)
        self._changed()

    def start_probe(self, api: str, account: str, probe: str) -> None:
        """Show every reason why ``probe`` may fail, at zero."""
        for reason in REASONS:
            self._failures.labels(api, account, probe, reason)
        self._changed()

    def forget_probe(self, api: str, account: str, probe: str) -> None:
        """Show nothing of ``probe`` any more."""
        for reason in REASONS:
            self._failures.remove(api, account, probe, reason)
        self._changed()

    def forget_api(self, api: str) -> None:
        """Show nothing that is only true while ``api`` is asked."""
        with contextlib.suppress(KeyError):  # no answer of it had a date
            self._skew.remove(api)
        self._changed()

    def probe_failed(self, api: str, account: str, probe: str, reason: str) -> None:
        """Count a failed run."""
        self._failures.labels(api, account, probe, reason).inc()
        self._changed()

    def exchanged(self, exchange: Exchange) -> None:
        """Count a request to CLN."""
        _log.debug(
            "asked CLN", api=exchange.api, endpoint=exchange.endpoint, code=exchange.code, seconds=exchange.seconds
        )
        self._requests.labels(exchange.api, exchange.endpoint, exchange.code).inc()
        self._durations.labels(exchange.api, exchange.endpoint).observe(exchange.seconds)
        if exchange.clock_skew is not None:
            self._skew.labels(exchange.api).set(exchange.clock_skew)
        self._changed()

    def trusts_anybody(self, *, is_true: bool) -> None:
        """Note whether certificates are verified by nobody."""
        self._tls_unverified.set(is_true)
        self._changed()

    def reloaded(self, now: float | None) -> None:
        """Note that the configuration was loaded at ``now``, in Unix seconds, or that this failed: None."""
        self._reload_successful.set(now is not None)
        if now is not None:
            self._reload_success_time.set(now)
        self._changed()

    def web_config_reloaded(self, good: bool) -> None:
        """Note whether the changed web configuration could be taken."""
        self._web_reload_successful.set(good)
        self._changed()

    def _changed(self) -> None:
        self._rendered = {}  # another, into which nobody puts what was read before

    def is_rendered(self, openmetrics: bool) -> bool:
        """Tell whether :meth:`render` has little to do, as nothing was counted since it was last called."""
        return openmetrics in self._rendered

    def render(self, openmetrics: bool) -> tuple[bytes, str]:
        """Return the exporter's own metrics and their content type, as OpenMetrics or in the text format."""
        write, content_type = _FORMATS[openmetrics]
        rendered = self._rendered
        if openmetrics not in rendered:
            rendered[openmetrics] = write(self.registry)
        return write(self._of_process).removesuffix(_EOF) + rendered[openmetrics], content_type
