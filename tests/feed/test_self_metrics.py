"""The metrics of the feed, and their HTTP server."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack

from cln_monitor.feed.self_metrics import FeedMetrics
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
