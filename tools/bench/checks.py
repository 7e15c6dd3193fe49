"""The cost of a check through the exporter, and of service discovery, for a large fleet compared with a small one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.helpers.running import Exporter

from .client import Client
from .exporter import exporter_over
from .processes import cpu_of, run
from .scale import Scale
from .table import Row, ratio

_PLUGIN = Path(__file__).parents[2] / "plugins" / "check_cln_kernelcare"
_SMALL = 100
_REQUESTS = 20  # for each run of a plugin, to measure an exporter that needs a millisecond
_FORMS: Mapping[str, tuple[str, ...]] = {"of all servers": (), "of one address": ("--ip", "10.0.0.5")}


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of checks and of discovery."""
    small = min(scale.servers, _SMALL)
    with ExitStack() as stack:
        exporters = {
            servers: stack.enter_context(exporter_over(directory, servers, keys))[0]
            for servers, keys in ((small, 1), (scale.servers, scale.keys))
        }
        rows = []
        for name, arguments in _FORMS.items():
            plugin, exporter = _cost(scale, exporters, arguments)
            check = f"a check {name} through the exporter: {scale.servers:,} servers compared with {small}"
            for quantity, cost in (
                (f"CPU of the plugin for {check}", plugin),
                (f"CPU of the exporter for {check}", exporter),
            ):
                large, least = cost[scale.servers], cost[small]
                measured = f"{ratio(large / least)} ({large * 1000:.2f} ms to {least * 1000:.2f} ms)"
                rows.append(
                    Row(quantity, "≤ 1.2 ×", measured, large <= 1.2 * least, "a summary has a line for each key")
                )
        rows.append(_discovery(scale, exporters[scale.servers]))
    return rows


def _cost(
    scale: Scale, exporters: Mapping[int, Exporter], arguments: tuple[str, ...]
) -> tuple[dict[int, float], dict[int, float]]:
    """Return the CPU seconds of the plugin and of the exporter for one check, by number of servers."""
    plugin: dict[int, list[float]] = {servers: [] for servers in exporters}
    exporter: dict[int, list[float]] = {servers: [] for servers in exporters}
    path = "/api/v1/observations/acme/kernelcare?" + ("ip=10.0.0.5" if arguments else "form=summary")
    for _ in range(scale.plugin_runs + 1):
        for servers, running in exporters.items():
            through = ("--exporter", f"http://{running.address}", "--account", "acme", *arguments)
            ended = run(sys.executable, str(_PLUGIN), *through)
            assert ended.code in {0, 1, 2}, ended.output
            plugin[servers].append(ended.cpu)
            before = cpu_of(running.process.pid)
            for _ in range(_REQUESTS):
                with Client(running.address, "Accept-Encoding: gzip", "Connection: close") as client:
                    client.get(path)
            exporter[servers].append((cpu_of(running.process.pid) - before) / _REQUESTS)
    # The first run compiles the plugin, and makes the summary.
    return _medians(plugin), _medians(exporter)


def _medians(costs: Mapping[int, list[float]]) -> dict[int, float]:
    return {servers: median(values[1:] or values) for servers, values in costs.items()}


def _discovery(scale: Scale, exporter: Exporter) -> Row:
    costs = []
    with Client(exporter.address, "Accept-Encoding: gzip") as client:
        for _ in range(scale.scrapes + 1):
            before = cpu_of(exporter.process.pid)
            client.get("/sd/kernelcare")
            costs.append(cpu_of(exporter.process.pid) - before)
    cost = median(costs[1:])
    return Row(
        f"CPU of `/sd/kernelcare` with gzip while {scale.servers:,} servers are unchanged",
        "≤ 5 ms",
        f"{cost * 1000:.1f} ms ({costs[0] * 1000:.0f} ms when they have changed)",
        cost <= 0.005,
        "whether the list is complete is looked up for each request",
    )
