"""Tests of the exporter's own metrics."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import pytest
from prometheus_client import Metric

from cln_monitor.cln import REASONS, Exchange
from cln_monitor.exporter.self_metrics import SelfMetrics
from cln_monitor.probes import Shard

from .parsing import Samples, parse, parse_openmetrics

API, ENDPOINT = "cln.example.net", "/kcare/nagios/{key}"


@pytest.fixture
def counters() -> SelfMetrics:
    """New metrics without any samples of probes."""
    return SelfMetrics()


def samples(counters: SelfMetrics, start: str = "cln_") -> Samples:
    """Return the samples whose names begin with ``start``."""
    text = counters.render(openmetrics=False)[0].decode()
    return {key: value for key, value in parse(text).items() if key[0].startswith(start)}


def labels(**pairs: str) -> frozenset[tuple[str, str]]:
    """Return labels in the form in which samples have them."""
    return frozenset(pairs.items())


def test_failures(counters: SelfMetrics) -> None:
    """A probe has a failure counter for each reason from the start, and none after it was removed."""
    counters.start_probe(API, "acme", "imunify")
    counters.start_probe(API, "other", "imunify")
    counters.probe_failed(API, "acme", "imunify", "timeout")
    counters.probe_failed(API, "acme", "imunify", "timeout")
    counters.start_probe(API, "acme", "imunify")  # as on a reload
    counted = samples(counters, "cln_probe_failures_total")
    by_reason = {dict(key[1])["reason"]: value for key, value in counted.items() if ("account", "acme") in key[1]}
    assert by_reason == dict.fromkeys(REASONS, 0.0) | {"timeout": 2.0}
    counters.forget_probe(API, "acme", "imunify")
    counted = samples(counters, "cln_probe_failures_total")
    assert {dict(key[1])["account"] for key in counted} == {"other"}
    assert len(counted) == len(REASONS)


def test_requests(counters: SelfMetrics) -> None:
    """Requests are counted by code, durations observed in buckets, and the clock skew is that of the last response."""
    counters.observe_request(Exchange(API, ENDPOINT, "200", 0.2, 1.5))
    counters.observe_request(Exchange(API, ENDPOINT, "200", 20.0, -3.0))
    counters.observe_request(Exchange(API, ENDPOINT, "timeout", 15.0, None))
    observed = samples(counters, "cln_api_")
    endpoint_labels = {"api": API, "endpoint": ENDPOINT}
    assert observed["cln_api_requests_total", labels(**endpoint_labels, code="200")] == 2
    assert observed["cln_api_requests_total", labels(**endpoint_labels, code="timeout")] == 1
    assert observed["cln_api_request_duration_seconds_count", labels(**endpoint_labels)] == 3
    assert observed["cln_api_request_duration_seconds_sum", labels(**endpoint_labels)] == 35.2
    assert observed["cln_api_request_duration_seconds_bucket", labels(**endpoint_labels, le="0.25")] == 1
    assert observed["cln_api_request_duration_seconds_bucket", labels(**endpoint_labels, le="15.0")] == 2
    assert observed["cln_api_request_duration_seconds_bucket", labels(**endpoint_labels, le="+Inf")] == 3
    assert observed["cln_api_clock_skew_seconds", labels(api=API)] == -3.0


def test_reloads(counters: SelfMetrics) -> None:
    """A failed reload does not change the time of the last successful one."""
    counters.reloaded(1_714_490_800.0)
    counters.reloaded(None)
    assert samples(counters, "cln_exporter_config_last_reload") == {
        ("cln_exporter_config_last_reload_successful", frozenset()): 0.0,
        ("cln_exporter_config_last_reload_success_timestamp_seconds", frozenset()): 1_714_490_800.0,
    }
    counters.reloaded(1_714_490_900.0)
    assert samples(counters, "cln_exporter_config_last_reload") == {
        ("cln_exporter_config_last_reload_successful", frozenset()): 1.0,
        ("cln_exporter_config_last_reload_success_timestamp_seconds", frozenset()): 1_714_490_900.0,
    }


def test_process_metrics(counters: SelfMetrics) -> None:
    """The metrics include the build info, the process and Python."""
    ((_, build),) = samples(counters, "cln_exporter_build_info")
    assert dict(build)["python_version"] == platform.python_version()
    assert samples(counters, "process_resident_memory_bytes")
    assert samples(counters, "python_info")


def test_no_created_series(counters: SelfMetrics) -> None:
    """There are no _created series."""
    counters.start_probe(API, "acme", "imunify")
    counters.observe_request(Exchange(API, ENDPOINT, "200", 0.2, None))
    assert not [name for name, _ in samples(counters, "") if name.endswith("_created")]


def test_both_formats_have_the_same_samples(counters: SelfMetrics) -> None:
    """The text format and OpenMetrics have the same samples, and each has its content type."""
    counters.start_probe(API, 'odd "account"\n\\', "imunify")
    counters.observe_request(Exchange(API, ENDPOINT, "200", 0.2, 0.5))
    text, text_type = counters.render(openmetrics=False)
    openmetrics, openmetrics_type = counters.render(openmetrics=True)
    assert text_type == "text/plain; version=0.0.4; charset=utf-8"
    assert openmetrics_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    ours = {key: value for key, value in parse(text.decode()).items() if key[0].startswith("cln_")}
    theirs = {key: value for key, value in parse_openmetrics(openmetrics.decode()).items() if key[0].startswith("cln_")}
    assert ours == theirs


CHANGES: dict[str, Callable[[SelfMetrics], object]] = {
    "state_not_written": lambda counters: counters.state_not_written(),
    "log_messages_dropped": lambda counters: counters.log_messages_dropped(3),
    "set_shard": lambda counters: counters.set_shard(Shard(1, 3)),
    "start_probe": lambda counters: counters.start_probe(API, "new", "imunify"),
    "forget_probe": lambda counters: counters.forget_probe(API, "acme", "imunify"),
    "forget_api": lambda counters: counters.forget_api(API),
    "probe_failed": lambda counters: counters.probe_failed(API, "acme", "imunify", "timeout"),
    "observe_request": lambda counters: counters.observe_request(Exchange(API, ENDPOINT, "200", 0.2, None)),
    "set_tls_verification": lambda counters: counters.set_tls_verification(is_enabled=False),
    "reloaded": lambda counters: counters.reloaded(1_714_490_800.0),
    "web_config_reloaded": lambda counters: counters.web_config_reloaded(good=False),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("openmetrics", [False, True])
def test_each_change_is_rendered(change: str, openmetrics: bool, counters: SelfMetrics) -> None:
    """Each change is in the next scrape, although metrics are rendered only after a change."""
    counters.start_probe(API, "acme", "imunify")
    counters.observe_request(Exchange(API, ENDPOINT, "200", 0.2, 1.5))
    assert not counters.is_rendered(openmetrics)
    before = _ours(counters, openmetrics)
    assert counters.is_rendered(openmetrics)
    assert _ours(counters, openmetrics) == before
    CHANGES[change](counters)
    assert _ours(counters, openmetrics) != before


def test_all_changes_are_covered() -> None:
    """All public methods except those that render are covered by CHANGES."""
    methods = {name for name in vars(SelfMetrics) if not name.startswith("_")}
    assert methods - CHANGES.keys() == {"is_rendered", "render"}


def test_a_change_while_rendering(counters: SelfMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change while the metrics are rendered is in the next scrape."""
    collect = counters.registry.collect

    def change_meanwhile() -> list[Metric]:
        collected = list(collect())
        counters.state_not_written()
        return collected

    monkeypatch.setattr(counters.registry, "collect", change_meanwhile)
    before = _ours(counters, openmetrics=False)
    monkeypatch.undo()
    assert not counters.is_rendered(openmetrics=False)
    assert _ours(counters, openmetrics=False) != before


def test_process_metrics_are_not_cached(counters: SelfMetrics) -> None:
    """Metrics of the process are collected on each scrape."""
    before = samples(counters, "process_cpu_seconds_total")
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert samples(counters, "process_cpu_seconds_total") != before


def _ours(counters: SelfMetrics, openmetrics: bool) -> list[bytes]:
    return [line for line in counters.render(openmetrics)[0].splitlines() if line.startswith(b"cln_")]


def test_registries_are_separate() -> None:
    """Two services in one process have separate metrics."""
    one, two = SelfMetrics(), SelfMetrics()
    one.start_probe(API, "acme", "imunify")
    assert not samples(two, "cln_probe_failures_total")
