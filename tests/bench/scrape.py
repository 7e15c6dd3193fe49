"""What a scrape costs: beside a collector of the usual kind, beside nginx, and as the fleet grows."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from .client import Client
from .exporter import exporter_over
from .nginx import nginx_over
from .processes import cpu_of, module
from .scale import Scale
from .table import Row, ratio

_GZIP = "Accept-Encoding: gzip"
_MB = 1e6


def measure(scale: Scale, folder: Path) -> list[Row]:
    """Return the rows of a scrape."""
    with (
        exporter_over(folder, scale.servers, scale.keys) as (exporter, _),
        Client(exporter.address, _GZIP) as client,
    ):
        cpu = _cpu_a_scrape(client, exporter.process.pid, scale.scrapes)
        return [_beside_collector(scale, folder, cpu), *_beside_nginx(scale, folder, client)]


def _cpu_a_scrape(client: Client, pid: int, scrapes: int, path: str = "/metrics") -> float:
    client.get(path)
    before = cpu_of(pid)
    for _ in range(scrapes):
        client.get(path)
    return (cpu_of(pid) - before) / scrapes


def _beside_collector(scale: Scale, folder: Path, ours: float) -> Row:
    with (
        module("collector", folder, scale.servers, scale.keys) as (pid, ports),
        Client(f"127.0.0.1:{ports[1]}", _GZIP, "Connection: close") as client,
    ):
        before = cpu_of(pid)
        client.get("/metrics")
        theirs = cpu_of(pid) - before
    return Row(
        "a gzipped scrape, CPU, beside a `prometheus_client` collector",
        "≤ 1/300",
        f"{ratio(ours / theirs)} ({ours * 1000:.1f} ms to {theirs * 1000:.0f} ms)",
        ours <= theirs / 300,
    )


def _beside_nginx(scale: Scale, folder: Path, client: Client) -> list[Row]:
    what, bar = "the same, latency p50, beside nginx serving the bytes from a file", "≤ 1.5 ×"
    _, size, body = client.get("/metrics", keep=True)
    files = folder / "nginx"
    files.mkdir()
    (files / "metrics").write_bytes(body)
    with nginx_over(files) as started:
        if started is None:
            return [Row(what, bar, "nginx is not installed", False)]
        with Client(started[1]) as theirs:
            pairs = [(client.get("/metrics")[0], theirs.get("/metrics")[0]) for _ in range(scale.scrapes)]
    ours, nginx = (median(side) for side in zip(*pairs, strict=True))
    measured = f"{ratio(ours / nginx)} ({ours * 1000:.1f} ms to {nginx * 1000:.1f} ms, {size / _MB:.1f} MB)"
    why = (
        "nginx has the kernel send a file; the exporter reads the figures of its process for each scrape, which takes "
        "0.4 ms, and h11 copies each piece once, which takes 0.3 ms"
    )
    return [Row(what, bar, measured, ours <= 1.5 * nginx, why)]


def growth(scale: Scale, folder: Path) -> list[Row]:
    """Return the row of how a scrape's cost grows."""
    figures = {}
    for servers in scale.growth:
        with (
            exporter_over(folder, servers, min(scale.keys, servers)) as (exporter, _),
            Client(exporter.address) as client,
        ):
            size = client.get("/metrics")[1] / _MB
            figures[servers] = _cpu_a_scrape(client, exporter.process.pid, scale.scrapes) / size
    least, most = min(figures.values()), max(figures.values())
    told = ", ".join(f"{cost * 1000:.2f} at {servers:,}" for servers, cost in figures.items())
    last = list(figures.values())
    return [
        Row(
            f"CPU of a plain scrape a MB sent, as the fleet grows to {scale.growth[-1]:,}",
            "the same",
            f"{ratio(most / least)} between most and least (ms a MB: {told})",
            last[-1] <= 1.25 * last[0],
        )
    ]
