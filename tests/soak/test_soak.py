"""After a month of faults, reloads and changes, the exporter uses the same resources and exposes the same data."""

from __future__ import annotations

import os
import threading
from random import Random, SystemRandom

import pytest

from cln_monitor.exporter.self_metrics import SelfMetrics
from cln_monitor.simulator import Simulator, serve
from tests.exporter.conftest import HandClock
from tests.exporter.parsing import Samples, parse

from .month import HOURS, Month, held


def shown(month: Month) -> Samples:
    """Return the polled data that the exporter exposes."""
    return parse(b"".join(month.service.exposition().plain(b"")).decode())


def own(counters: SelfMetrics) -> Samples:
    """Return the exporter's own metrics."""
    return parse(counters.render(openmetrics=False)[0].decode())


def test_a_month(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a first third that warms up caches and pools, no resource grows. ``make soak`` polls as by default."""
    long = request.config.getoption("--long")
    seed = int(os.environ.get("SOAK_SEED") or (SystemRandom().randrange(1 << 32) if long else 7))
    print(f"SOAK_SEED={seed}")  # noqa: T201 # by which the same month comes again
    monkeypatch.setattr("cln_monitor.cln.http.answer.LARGEST_BODY", 200_000)
    others = threading.enumerate()
    clock = HandClock()
    simulator = Simulator(clock.time, seed=seed)
    for name in ("first", "second"):
        account = simulator.add_account(f"{name}_login", f"pl4nted-{name}-key")
        account.add_kernelcare_key(limit=9).add_server()
        account.add_imunify_key(limit=9).add_server()
        account.add_els_key(code="CELS").add_server()
        account.add_cloudlinux_key(product_type="CL").add_server()
        account.add_group("all").add_server(next(iter(account.kernelcare_servers())))
        account.add_ip_license("192.0.2.1", 1)
        account.add_awp_entity("shop.example.net", username="shop")
    with serve(simulator) as served:
        month = Month(Random(seed), simulator, clock, served.url, {} if long else dict(HOURS))
        month.live(10)
        before = held(month.service, others)
        month.live(20)
        after = held(month.service, others)
        print(f"{month.polls} polls, {month.calls} calls, {month.reloads} reloads: {before}, {after}")  # noqa: T201 # with it

        assert after.threads <= before.threads
        assert after.files <= before.files
        assert after.memory < before.memory + 16
        assert after.objects < before.objects * 1.1 + 5000

        counted = {
            key: value
            for key, value in own(month.service.counters).items()
            if key[0] in {"cln_probe_failures_total", "cln_api_requests_total"}
        }
        failures = sum(value for (name, _), value in counted.items() if name == "cln_probe_failures_total")
        assert failures == month.failures.total() > 20
        requests = sum(value for (name, _), value in counted.items() if name == "cln_api_requests_total")
        assert requests == month.calls

        simulator.faults.clear()
        clock.advance(7200)  # the pause that CLN requested is over
        month.poll_all()
        there = shown(month)
        used, month.service = month.service, month.new_service()
        month.poll_all()
        assert {pairs for (name, pairs), value in there.items() if name == "cln_probe_success" and not value} == set()
        assert shown(month) == there
        assert month.failures.total() == failures
        assert set(own(used.counters)) >= {
            key for key in own(month.service.counters) if key[0] == "cln_probe_failures_total"
        }
        for service in (used, month.service):
            targets = list(service.targets.values())
            service.stop()
            for target in targets:
                target.context.client.close()
