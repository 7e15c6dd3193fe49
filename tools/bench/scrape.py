"""The cost of a scrape: compared with a usual collector, with nginx, and as the fleet grows."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

from tests.helpers.running import Exporter

from .client import Client, turn
from .collector import GZIP_LEVEL
from .exporter import exporter_over
from .nginx import nginx_over
from .processes import cpu_of, module
from .render import cpu_seconds, rendering
from .scale import Scale
from .table import Row, ratio, spread

_GZIP = "Accept-Encoding: gzip"
_PROBE = "/probe?account=acme&probe=kernelcare"
_MB = 1e6

_SCRAPES = 15
"""Scrapes per poll, as the exporter polls every 15 minutes and Prometheus scrapes every minute."""


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of a scrape."""
    with exporter_over(directory, scale.servers, scale.keys) as (exporter, control):
        costs = _costs(scale, directory, exporter, control)
        return [*_beside_collector(costs), *_beside_nginx(scale, directory, exporter)]


def _costs(scale: Scale, directory: Path, exporter: Exporter, control: int) -> dict[str, float]:
    """Return the CPU seconds of the exporter's work and of scrapes of the collectors, measured in turns."""
    with module("collector", directory, scale.servers, scale.keys) as (collector, ports):
        pid, render = exporter.process.pid, rendering(scale)
        level_9, same_level = (partial(_scrape_once, f"127.0.0.1:{port}") for port in ports.groups())
        costs: dict[str, list[float]] = {name: [] for name in ("poll", "render", "scrape", "level 9", "same level")}
        for _ in range(scale.rounds + 1):
            turn(control)  # so that each poll gets new answers
            with Client(exporter.address, _GZIP) as client:  # an idle one is closed before the next round
                scrape = partial(client.get, "/metrics")
                costs["poll"].append(_cpu(pid, partial(client.get, _PROBE)))
                costs["scrape"].append(median(_cpu(pid, scrape) for _ in range(scale.scrapes)))
            costs["render"].append(cpu_seconds(render))
            costs["level 9"].append(_cpu(collector, level_9))
            costs["same level"].append(_cpu(collector, same_level))
    return {name: median(seconds[1:]) for name, seconds in costs.items()}  # the first round warms both sides up


def _cpu(pid: int, work: Callable[[], object]) -> float:
    """Return the CPU seconds that the process ``pid`` uses during ``work``."""
    before = cpu_of(pid)
    work()
    return cpu_of(pid) - before


def _scrape_once(address: str) -> None:
    with Client(address, _GZIP, "Connection: close") as client:
        client.get("/metrics")


def _beside_collector(costs: Mapping[str, float]) -> list[Row]:
    def row(quantity: str, most: int | None, ours: float, theirs: float) -> Row:
        measured = f"{ratio(ours / theirs)} ({ours * 1000:.1f} ms to {theirs * 1000:.0f} ms)"
        return Row(quantity, f"≤ 1/{most}" if most else "", measured, ours * most <= theirs if most else None)

    scrape, level_9, same_level = (costs[name] for name in ("scrape", "level 9", "same level"))
    scrapes, of_collector = (f"{_SCRAPES} gzipped scrapes", f"{_SCRAPES} scrapes of a collector")
    ours = f"at our gzip level ({GZIP_LEVEL})"
    rendered, polled = (costs[name] + _SCRAPES * scrape for name in ("render", "poll"))
    return [
        row("CPU of a gzipped scrape, compared with a `prometheus_client` collector", 300, scrape, level_9),
        row(f"CPU of a gzipped scrape, compared with a collector {ours}", 300, scrape, same_level),
        row(f"CPU of a render and {scrapes}, compared with {of_collector}", 100, rendered, _SCRAPES * level_9),
        row(
            f"CPU of a render and {scrapes}, compared with {of_collector} {ours}",
            None,
            rendered,
            _SCRAPES * same_level,
        ),
        row(
            f"CPU of a poll and {scrapes}, compared with {of_collector} that polls nothing",
            None,
            polled,
            _SCRAPES * level_9,
        ),
    ]


def _beside_nginx(scale: Scale, directory: Path, exporter: Exporter) -> list[Row]:
    quantity, limit = (
        "Latency (p50) of a gzipped scrape, compared with nginx serving the same bytes from a file",
        "≤ 1.5 ×",
    )
    with Client(exporter.address, _GZIP) as client:
        _, size, body = client.get("/metrics", keep=True)
    files = directory / "nginx"
    files.mkdir()
    (files / "metrics").write_bytes(body)
    with nginx_over(files) as started:
        if started is None:
            return [Row(quantity, limit, "nginx is not installed", False)]
        with Client(exporter.address, _GZIP) as client, Client(started[1]) as theirs:
            pairs = [(client.get("/metrics")[0], theirs.get("/metrics")[0]) for _ in range(scale.scrapes)]
    ours, nginx = (median(side) for side in zip(*pairs, strict=True))
    measured = f"{ratio(ours / nginx)} ({ours * 1000:.1f} ms to {nginx * 1000:.1f} ms, {size / _MB:.1f} MB)"
    why = (
        "nginx lets the kernel send a file; the exporter reads its process metrics for each scrape, which takes "
        "0.4 ms, and h11 copies each piece once, which takes 0.3 ms"
    )
    return [Row(quantity, limit, measured, ours <= 1.5 * nginx, why)]


def growth(scale: Scale, directory: Path) -> list[Row]:
    """Return the row for the growth of the cost of a scrape."""
    with contextlib.ExitStack() as stack:
        exporters = {
            servers: stack.enter_context(exporter_over(directory, servers, min(scale.keys, servers)))[0]
            for servers in scale.growth
        }
        clients = {servers: stack.enter_context(Client(running.address)) for servers, running in exporters.items()}
        sizes = {servers: client.get("/metrics")[1] / _MB for servers, client in clients.items()}
        costs: dict[int, list[float]] = {servers: [] for servers in exporters}
        for _ in range(scale.scrapes):
            for servers, running in exporters.items():
                scrape = partial(clients[servers].get, "/metrics")
                costs[servers].append(_cpu(running.process.pid, scrape) / sizes[servers])
    return [growth_row({servers: median(seconds) for servers, seconds in costs.items()})]


def growth_row(costs: Mapping[int, float]) -> Row:
    """Return the row of the CPU seconds per MB by number of servers, judged by the ratio of maximum to minimum."""
    figures = ", ".join(f"{cost * 1000:.2f} at {servers:,}" for servers, cost in costs.items())
    return Row(
        f"CPU of a plain scrape per MB sent, the most to the least from {min(costs):,} to {max(costs):,} servers",
        "≤ 1.25 ×",
        f"{ratio(spread(costs.values()))} (ms per MB: {figures})",
        spread(costs.values()) <= 1.25,
        "a scrape has a fixed cost of about 1 ms for the request and the exporter's own metrics, which matters most "
        "for small responses",
    )
