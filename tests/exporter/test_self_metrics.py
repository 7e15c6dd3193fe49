"""What the exporter counts of itself."""

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
    """Fresh ones."""
    return SelfMetrics()


def samples(counters: SelfMetrics, start: str = "cln_") -> Samples:
    """Return the samples whose names begin with ``start``."""
    text = counters.render(openmetrics=False)[0].decode()
    return {key: value for key, value in parse(text).items() if key[0].startswith(start)}


def labels(**pairs: str) -> frozenset[tuple[str, str]]:
    """Return labels as samples have them."""
    return frozenset(pairs.items())


def test_failures(counters: SelfMetrics) -> None:
    """All reasons from the start, one counted, none left when the probe is forgotten; others stay."""
    counters.start_probe(API, "acme", "imunify")
    counters.start_probe(API, "other", "imunify")
    counters.probe_failed(API, "acme", "imunify", "timeout")
    counters.probe_failed(API, "acme", "imunify", "timeout")
    counters.start_probe(API, "acme", "imunify")  # as a reload does
    counted = samples(counters, "cln_probe_failures_total")
    of_acme = {dict(key[1])["reason"]: value for key, value in counted.items() if ("account", "acme") in key[1]}
    assert of_acme == dict.fromkeys(REASONS, 0.0) | {"timeout": 2.0}
    counters.forget_probe(API, "acme", "imunify")
    counted = samples(counters, "cln_probe_failures_total")
    assert {dict(key[1])["account"] for key in counted} == {"other"}
    assert len(counted) == len(REASONS)


def test_exchanges(counters: SelfMetrics) -> None:
    """Requests by their code, their durations in buckets, and the clock of CLN's last answer that had a date."""
    counters.exchanged(Exchange(API, ENDPOINT, "200", 0.2, 1.5))
    counters.exchanged(Exchange(API, ENDPOINT, "200", 20.0, -3.0))
    counters.exchanged(Exchange(API, ENDPOINT, "timeout", 15.0, None))
    seen = samples(counters, "cln_api_")
    of_endpoint = {"api": API, "endpoint": ENDPOINT}
    assert seen["cln_api_requests_total", labels(**of_endpoint, code="200")] == 2
    assert seen["cln_api_requests_total", labels(**of_endpoint, code="timeout")] == 1
    assert seen["cln_api_request_duration_seconds_count", labels(**of_endpoint)] == 3
    assert seen["cln_api_request_duration_seconds_sum", labels(**of_endpoint)] == 35.2
    assert seen["cln_api_request_duration_seconds_bucket", labels(**of_endpoint, le="0.25")] == 1
    assert seen["cln_api_request_duration_seconds_bucket", labels(**of_endpoint, le="15.0")] == 2
    assert seen["cln_api_request_duration_seconds_bucket", labels(**of_endpoint, le="+Inf")] == 3
    assert seen["cln_api_clock_skew_seconds", labels(api=API)] == -3.0


def test_reloads(counters: SelfMetrics) -> None:
    """A failed one leaves the time of the last good one."""
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


def test_about_the_process(counters: SelfMetrics) -> None:
    """The build, the process and Python are there."""
    ((_, build),) = samples(counters, "cln_exporter_build_info")
    assert dict(build)["python_version"] == platform.python_version()
    assert samples(counters, "process_resident_memory_bytes")
    assert samples(counters, "python_info")


def test_no_created_series(counters: SelfMetrics) -> None:
    """They would double each counter, and nothing reads them."""
    counters.start_probe(API, "acme", "imunify")
    counters.exchanged(Exchange(API, ENDPOINT, "200", 0.2, None))
    assert not [name for name, _ in samples(counters, "") if name.endswith("_created")]


def test_both_formats_tell_the_same(counters: SelfMetrics) -> None:
    """Each with its content type."""
    counters.start_probe(API, 'odd "account"\n\\', "imunify")
    counters.exchanged(Exchange(API, ENDPOINT, "200", 0.2, 0.5))
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
    "sharing": lambda counters: counters.sharing(Shard(1, 3)),
    "start_probe": lambda counters: counters.start_probe(API, "new", "imunify"),
    "forget_probe": lambda counters: counters.forget_probe(API, "acme", "imunify"),
    "forget_api": lambda counters: counters.forget_api(API),
    "probe_failed": lambda counters: counters.probe_failed(API, "acme", "imunify", "timeout"),
    "exchanged": lambda counters: counters.exchanged(Exchange(API, ENDPOINT, "200", 0.2, None)),
    "trusts_anybody": lambda counters: counters.trusts_anybody(is_true=True),
    "reloaded": lambda counters: counters.reloaded(1_714_490_800.0),
    "web_config_reloaded": lambda counters: counters.web_config_reloaded(good=False),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("openmetrics", [False, True])
def test_each_change_shows(change: str, openmetrics: bool, counters: SelfMetrics) -> None:
    """Though what has not changed since the last scrape is not written anew."""
    counters.start_probe(API, "acme", "imunify")
    counters.exchanged(Exchange(API, ENDPOINT, "200", 0.2, 1.5))
    assert not counters.is_rendered(openmetrics)
    before = _ours(counters, openmetrics)
    assert counters.is_rendered(openmetrics)
    assert _ours(counters, openmetrics) == before
    CHANGES[change](counters)
    assert _ours(counters, openmetrics) != before


def test_all_changes_are_tried() -> None:
    """By the test before this one: each method but those that render."""
    methods = {name for name in vars(SelfMetrics) if not name.startswith("_")}
    assert methods - CHANGES.keys() == {"is_rendered", "render"}


def test_what_changes_while_it_is_written(counters: SelfMetrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is shown by the next scrape: what was read before is not kept."""
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


def test_the_process_is_read_each_time(counters: SelfMetrics) -> None:
    """Its CPU and memory change all the time."""
    before = samples(counters, "process_cpu_seconds_total")
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    assert samples(counters, "process_cpu_seconds_total") != before


def _ours(counters: SelfMetrics, openmetrics: bool) -> list[bytes]:
    return [line for line in counters.render(openmetrics)[0].splitlines() if line.startswith(b"cln_")]


def test_each_has_its_own_registry() -> None:
    """Two services in one process, as in these tests, do not meet."""
    one, two = SelfMetrics(), SelfMetrics()
    one.start_probe(API, "acme", "imunify")
    assert not samples(two, "cln_probe_failures_total")
