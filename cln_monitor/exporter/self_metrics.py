"""The exporter's own metrics, instrumented with ``prometheus_client``."""

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

disable_created_metrics()  # type: ignore[no-untyped-call] # untyped; _created series would double each counter and are not used


_log = structlog.get_logger(__name__)


class SelfMetrics:
    """The exporter's own metrics. Thread-safe.

    Process metrics are collected on each scrape; all others, in ``registry``, are rendered again only after a change.
    """

    def __init__(self) -> None:
        self._process_registry = CollectorRegistry()
        ProcessCollector(registry=self._process_registry)
        PlatformCollector(registry=self._process_registry)
        GCCollector(registry=self._process_registry)
        self._rendered: dict[bool, bytes] = {}
        registry = self.registry = CollectorRegistry()
        probe_labels = ("api", "account", "probe", "reason")
        self._failures = Counter(
            "cln_probe_failures", "Number of failed runs of the probe by reason.", probe_labels, registry=registry
        )
        self._requests = Counter(
            "cln_api_requests",
            "Number of requests sent to CLN; code is the HTTP status code, or the reason if there was no response.",
            ("api", "endpoint", "code"),
            registry=registry,
        )
        self._durations = Histogram(
            "cln_api_request_duration_seconds",
            "Duration of requests to CLN, including reading the response body.",
            ("api", "endpoint"),
            buckets=_DURATIONS,
            registry=registry,
        )
        self._skew = Gauge(
            "cln_api_clock_skew_seconds",
            "Date header of CLN's last uncached response minus the exporter's clock; positive if CLN is ahead.",
            ("api",),
            registry=registry,
        )
        Gauge(
            "cln_exporter_build_info",
            "Version of the exporter and of Python; always 1.",
            ("version", "python_version"),
            registry=registry,
        ).labels(__version__, platform.python_version()).set(1)
        self._shard_info = Gauge(
            "cln_exporter_shard_info",
            "Shard of this exporter, from 0 to shards - 1, among the exporters that share the keys; always 1.",
            ("shard", "shards"),
            registry=registry,
        )
        self._shards = Gauge(
            "cln_exporter_shards",
            "Configured number of exporters that share the keys; 1 if this exporter monitors all keys.",
            registry=registry,
        )
        self._reload_successful = Gauge(
            "cln_exporter_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
            registry=registry,
        )
        self._reload_success_time = Gauge(
            "cln_exporter_config_last_reload_success_timestamp_seconds",
            "Unix time of the last successful configuration reload.",
            registry=registry,
        )

        self._web_reload_successful = Gauge(
            "cln_exporter_web_config_last_reload_successful",
            "Whether the last attempt to load --web.config.file was successful; 1 without that flag.",
            registry=registry,
        )
        self._web_reload_successful.set(1)

        self._tls_unverified = Gauge(
            "cln_exporter_tls_verification_disabled",
            "Whether TLS certificate verification is disabled (insecure_skip_verify of tls_config).",
            registry=registry,
        )
        self._state_failures = Counter(
            "cln_exporter_state_write_failures",
            "Number of failed attempts to write an observation to --storage.path.",
            registry=registry,
        )
        self._log_dropped = Counter(
            "cln_exporter_log_messages_dropped",
            "Number of log messages dropped because stderr was blocked or closed, or its disk was full.",
            registry=registry,
        )

    def state_not_written(self) -> None:
        """Count an observation that could not be written and would be lost on a restart."""
        self._state_failures.inc()
        self._changed()

    def log_messages_dropped(self, count: int) -> None:
        """Count dropped log messages."""
        self._log_dropped.inc(count)
        self._changed()

    def set_shard(self, shard: Shard) -> None:
        """Expose the shard of this exporter."""
        self._shard_info.clear()
        self._shard_info.labels(str(shard.index), str(shard.count)).set(1)
        self._shards.set(shard.count)
        self._changed()

    def start_probe(self, api: str, account: str, probe: str) -> None:
        """Initialize the failure counters of ``probe`` for all reasons, so that each starts at 0."""
        for reason in REASONS:
            self._failures.labels(api, account, probe, reason)
        self._changed()

    def forget_probe(self, api: str, account: str, probe: str) -> None:
        """Remove the series of ``probe``."""
        for reason in REASONS:
            self._failures.remove(api, account, probe, reason)
        self._changed()

    def forget_api(self, api: str) -> None:
        """Remove the clock skew of ``api``, the host of an API root that is no longer used."""
        with contextlib.suppress(KeyError):  # no response of it had a Date header
            self._skew.remove(api)
        self._changed()

    def probe_failed(self, api: str, account: str, probe: str, reason: str) -> None:
        """Count a failed run by ``reason``."""
        self._failures.labels(api, account, probe, reason).inc()
        self._changed()

    def observe_request(self, exchange: Exchange) -> None:
        """Count a request to CLN, and observe its duration and the clock skew."""
        _log.debug(
            "request to CLN", api=exchange.api, endpoint=exchange.endpoint, code=exchange.code, seconds=exchange.seconds
        )
        self._requests.labels(exchange.api, exchange.endpoint, exchange.code).inc()
        self._durations.labels(exchange.api, exchange.endpoint).observe(exchange.seconds)
        if exchange.clock_skew is not None:
            self._skew.labels(exchange.api).set(exchange.clock_skew)
        self._changed()

    def set_tls_verification(self, *, is_enabled: bool) -> None:
        """Set whether TLS certificates are verified."""
        self._tls_unverified.set(not is_enabled)
        self._changed()

    def reloaded(self, now: float | None) -> None:
        """Record that the configuration was loaded at ``now``, in Unix seconds, or with None that loading it failed."""
        self._reload_successful.set(now is not None)
        if now is not None:
            self._reload_success_time.set(now)
        self._changed()

    def web_config_reloaded(self, good: bool) -> None:
        """Record whether the changed web configuration was loaded."""
        self._web_reload_successful.set(good)
        self._changed()

    def _changed(self) -> None:
        self._rendered = {}  # a new dict, as a concurrent render may still write to the old one

    def is_rendered(self, openmetrics: bool) -> bool:
        """Return whether :meth:`render` can use its cache, as no metric has changed since the last call."""
        return openmetrics in self._rendered

    def render(self, openmetrics: bool) -> tuple[bytes, str]:
        """Return the exporter's own metrics, as OpenMetrics or in the text format, and their content type."""
        write, content_type = _FORMATS[openmetrics]
        rendered = self._rendered
        if openmetrics not in rendered:
            rendered[openmetrics] = write(self.registry)
        return write(self._process_registry).removesuffix(_EOF) + rendered[openmetrics], content_type
