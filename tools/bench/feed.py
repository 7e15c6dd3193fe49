"""The cost of ``cln-feed`` per result, compared with a run of the plugin, and its memory over many rounds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from .exporter import exporter_over
from .processes import run
from .scale import Scale
from .table import Row, ratio

_PLUGIN = Path(__file__).parents[2] / "plugins" / "check_cln_kernelcare"
_MOST_SERVICES = 5000
_FEW, _SHARE = 1, 50
_RESULTS = 10_000
"""Results to measure; with few services these are many rounds."""
_ENDURED = 10  # services in the rounds that show that memory does not grow
_MINUTE = 60.0


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of the feed; results go to a command file of Nagios, which another process reads."""
    servers = min(scale.servers, _MOST_SERVICES)
    with exporter_over(directory, servers, min(scale.keys, servers)) as (exporter, _), _pipe(directory) as pipe:
        url = f"http://{exporter.address}"
        plugin = _plugin(scale, url)
        rows = []
        for services in (_FEW, max(_FEW + 1, servers // _SHARE), servers):
            file = _configuration(directory, url, pipe, services)
            rounds = min(500, max(10, _RESULTS // services)) if scale.plugin_runs else 1
            measured = _rounds(file, rounds)
            cost = measured["cpu"] / services
            rows.append(
                Row(
                    f"CPU of cln-feed per result, compared with the plugin and the exporter: {services:,} services",
                    "≤ 1/20",
                    f"{ratio(cost / plugin)} ({cost * 1000:.2f} ms to {plugin * 1000:.1f} ms)",
                    cost <= plugin / 20,
                    "a round requests and decodes the data of the fleet",
                )
            )
        share = measured["cpu"] / _MINUTE
        rows.append(
            Row(
                f"CPU of cln-feed for {services:,} services a minute, of a core",
                "≤ 5%",
                f"{share:.1%} ({measured['cpu']:.2f} s)",
                share <= 0.05,
                "each result is judged again, as ages change",
            )
        )
        rounds = 10 * scale.endurance
        file = _configuration(directory, url, pipe, min(_ENDURED, servers))
        first, last = _rounds(file, rounds)["memory"]
        rows.append(
            Row(
                f"memory of cln-feed after {rounds:,} rounds, compared with a tenth of them",
                "≤ 1.05 ×",
                f"{ratio(last / first)} ({last:.1f} MB to {first:.1f} MB)",
                last <= 1.05 * first,
            )
        )
    return rows


def _plugin(scale: Scale, url: str) -> float:
    """Return the CPU seconds of a run of the plugin."""
    costs = []
    for _ in range(scale.plugin_runs + 1):
        ended = run(sys.executable, str(_PLUGIN), "--exporter", url, "--account", "acme", "--ip", "10.0.0.0")
        assert ended.code in {0, 1, 2}, ended.output
        costs.append(ended.cpu)
    return median(costs[1:] or costs)


def _configuration(directory: Path, url: str, pipe: Path, services: int) -> Path:
    """Write a configuration with a service for each of so many servers, and return its file."""
    document = {
        "exporter": url,
        "sinks": {"nagios": {"command_file": str(pipe)}},
        "services": [
            {
                "host": f"web{number}",
                "service": "KernelCare",
                "check": "check_cln_kernelcare",
                "options": {"account": "acme", "ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"},
            }
            for number in range(services)
        ],
    }
    file = directory / f"cln-feed-{services}.yml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def _rounds(file: Path, rounds: int) -> dict[str, Any]:
    ended = run(sys.executable, "-m", "tools.bench.feed_rounds", str(file), str(rounds))
    assert ended.code == 0, ended.output
    measured: dict[str, Any] = json.loads(ended.output.splitlines()[-1])
    assert measured["delivered"] >= measured["results"] * rounds, measured
    return measured


@contextlib.contextmanager
def _pipe(directory: Path) -> Iterator[Path]:
    """Provide a named pipe that another process reads to its end."""
    pipe = directory / "nagios.cmd"
    os.mkfifo(pipe)
    held = os.open(pipe, os.O_RDWR)  # so that the reader does not end when a writer closes the pipe
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        yield pipe
    finally:
        reader.terminate()
        reader.wait()
        os.close(held)
