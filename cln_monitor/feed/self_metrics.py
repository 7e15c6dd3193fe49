"""The metrics of the feed itself, and their HTTP server, which is off by default."""

from __future__ import annotations

import threading
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, MetricsHandler, ProcessCollector

from .sinks import Delivery, Outcome

_TIMEOUT = 10.0  # seconds for a request
_MOST_CONNECTIONS = 16  # at a time: each has a thread, and the unit limits the threads that judging needs, too


class FeedMetrics:
    """Counts results by sink and result, and keeps the time of the last delivery of each sink."""

    def __init__(self, sinks: Iterable[str]) -> None:
        self.registry = CollectorRegistry()
        self._results = Counter(
            "cln_feed_results",
            "Results sent, by sink: delivered, refused by the receiver, or failed and sent again.",
            ["sink", "result"],
            registry=self.registry,
        )
        self._last_success = Gauge(
            "cln_feed_last_success_timestamp_seconds",
            "Unix time at which the sink last delivered a result; 0 before the first one.",
            ["sink"],
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)
        self._lock = threading.Lock()
        self._sinks: frozenset[str] = frozenset()
        self.set_sinks(sinks)

    def set_sinks(self, sinks: Iterable[str]) -> None:
        """Let the series of each of ``sinks`` exist from the start, and remove those of other sinks."""
        with self._lock:
            previous, self._sinks = self._sinks, frozenset(sinks)
            for sink in previous - self._sinks:
                self._last_success.remove(sink)
                for delivery in Delivery:
                    self._results.remove(sink, delivery.value)
            self._add_series()

    def _add_series(self) -> None:
        for sink in sorted(self._sinks):
            self._last_success.labels(sink)
            for delivery in Delivery:
                self._results.labels(sink, delivery.value)

    def count(self, sink: str, outcomes: Sequence[Outcome], now: float) -> None:
        """Count the ``outcomes`` of results at the Unix time ``now``, unless the sink was removed meanwhile."""
        with self._lock:
            if sink not in self._sinks:
                return
            for delivery, number in Tally(outcome.delivery for outcome in outcomes).items():
                self._results.labels(sink, delivery.value).inc(number)
                if delivery is Delivery.DELIVERED:
                    self._last_success.labels(sink).set(now)

    def serve(self, host: str, port: int) -> TCPServer:
        """Serve the metrics at ``/metrics`` in a thread, and return the server. Raises OSError."""

        class Handler(MetricsHandler):
            """Ends a connection that is silent for too long."""

            registry = self.registry
            timeout = _TIMEOUT

        server = _Server((host, port), Handler)
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: Any) -> None:
        import socket  # noqa: PLC0415 # needed only with the server

        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self._free = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection in a thread; close it at once if there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread could be started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle a connection in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that does not read its response."""
