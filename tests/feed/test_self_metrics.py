"""The metrics of the feed, and their HTTP server."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

from prometheus_client import generate_latest

from cln_monitor.feed.self_metrics import FeedMetrics
from cln_monitor.feed.sinks import Delivery, Outcome
from tests.helpers.running import ask, wait_until


def test_idle_connections_take_few_threads() -> None:
    """Connections that send nothing cannot take the threads of the feed; once they end, metrics are served again."""
    server = FeedMetrics(["nagios"]).serve("127.0.0.1", 0)
    port = server.socket.getsockname()[1]
    before = threading.active_count()
    with ExitStack() as idle:
        connections = [idle.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(40)]
        for refused in connections[16:]:
            assert refused.recv(1) == b""
        assert threading.active_count() - before == 16
    wait_until(lambda: threading.active_count() == before, "the threads of the connections to end")
    body = ask(f"http://127.0.0.1:{port}/metrics")
    assert 'cln_feed_results_total{result="delivered",sink="nagios"} 0.0' in str(body)
    server.shutdown()
    server.server_close()


def test_a_sink_that_is_removed() -> None:
    """The series of a sink end with it, even if it still delivers; the others keep their values."""
    metrics = FeedMetrics(["nagios", "nrdp"])
    for sink in ("nagios", "nrdp"):
        metrics.count(sink, [Outcome(Delivery.DELIVERED)], 5.0)
    metrics.set_sinks(["nrdp", "icinga2"])
    metrics.count("nagios", [Outcome(Delivery.DELIVERED)], 6.0)
    text = generate_latest(metrics.registry).decode()
    assert 'sink="nagios"' not in text
    assert 'cln_feed_results_total{result="delivered",sink="nrdp"} 1.0' in text
    assert 'cln_feed_last_success_timestamp_seconds{sink="nrdp"} 5.0' in text
    assert 'cln_feed_last_success_timestamp_seconds{sink="icinga2"} 0.0' in text
