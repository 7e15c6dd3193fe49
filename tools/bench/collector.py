"""The usual design: a ``prometheus_client`` collector that creates the same series of the same fleet at each scrape.

It runs as a separate process, ``python -m tools.bench.collector SERVERS KEYS``. It prints two ports: that of the server
of ``prometheus_client``, which uses gzip level 9, and that of a server with the gzip level of the exporter.
"""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest, start_http_server
from prometheus_client.core import CollectorRegistry, GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.registry import Collector

from cln_monitor.cln import mask_key
from cln_monitor.cln.dates import parse_date
from cln_monitor.exporter.metrics.exposition import _LEVEL

from .fleet import Fleet

GZIP_LEVEL = _LEVEL
"""The gzip level of the exporter."""


class Server(NamedTuple):
    """The values and labels of the series of a server."""

    key: str
    server_id: str
    ip: str
    created: float
    last_checkin: float


class FleetCollector(Collector):
    """A collector with two gauges per server, as the exporter has."""

    def __init__(self, servers: list[Server]) -> None:
        self._servers = servers

    def collect(self) -> Iterable[Metric]:
        """Return all families, created from scratch as collectors do."""
        labels = ("account", "key", "server_id", "ip")
        checkins = GaugeMetricFamily(
            "cln_kernelcare_server_last_checkin_timestamp_seconds", "Unix time of last_checkin.", labels=labels
        )
        created = GaugeMetricFamily(
            "cln_kernelcare_server_created_timestamp_seconds", "Unix time of created.", labels=labels
        )
        for server in self._servers:
            values = ("acme", server.key, server.server_id, server.ip)
            checkins.add_metric(values, server.last_checkin)
            created.add_metric(values, server.created)
        return [checkins, created]


def servers_of(fleet: Fleet) -> Iterator[Server]:
    """Yield the servers of a fleet from its responses."""
    for number, name in enumerate(fleet.names):
        key = mask_key(name)
        for row in msgspec.json.decode(fleet.servers_of(number))["data"]:
            dates = (parse_date(row["created"]), parse_date(row["last_checkin"]))
            yield Server(key, row["server_id"], row["ip"], *dates)


def registry_of(fleet: Fleet) -> CollectorRegistry:
    """Return a registry with only the series of a fleet."""
    registry = CollectorRegistry()
    registry.register(FleetCollector(list(servers_of(fleet))))
    return registry


def start_server_at(level: int, registry: CollectorRegistry) -> int:
    """Serve ``registry`` as ``prometheus_client`` does, but with another gzip ``level``, and return the port."""

    def compressed(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        body = gzip.compress(generate_latest(registry), level)
        headers = [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Encoding", "gzip")]
        start_response("200 OK", headers)
        return [body]

    server = make_server("127.0.0.1", 0, compressed, ThreadingWSGIServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main() -> None:
    """Serve until the process is terminated."""
    servers, keys = map(int, sys.argv[1:])
    registry = registry_of(Fleet(servers, keys))
    server, _ = start_http_server(0, "127.0.0.1", registry)
    print(f"port={server.server_port} same_level={start_server_at(GZIP_LEVEL, registry)}", flush=True)  # noqa: T201 # the parent process waits for this line
    threading.Event().wait()


if __name__ == "__main__":
    main()
