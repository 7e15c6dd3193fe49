"""What a plugin costs that asks CLN or the exporter, beside the least that any in Python costs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from tests.running import Exporter

from .exporter import exporter_over
from .fleet import LOGIN, SECRET_KEY, Fleet
from .processes import Ended, cpu_of, run
from .scale import Scale
from .table import Row, ratio

_PLUGIN = Path(__file__).parents[2] / "plugins" / "check_cln_kernelcare"
_SERVERS = 100
_LIBRARIES = """\
import sys, requests, nagiosplugin
session = requests.Session()
session.trust_env = False
for path in ("list.json", "servers.json?key=" + sys.argv[2]):
    session.get(sys.argv[1] + "/kcare/key/" + path).json()
"""
_FLOOR = """\
import sys, nagiosplugin, json
from http.client import HTTPConnection
connection = HTTPConnection(sys.argv[1])
connection.request("GET", "/api/v1/observations/acme/kernelcare")
json.loads(connection.getresponse().read())
"""


def measure(scale: Scale, folder: Path) -> list[Row]:
    """Return the rows of the plugins."""
    servers = min(scale.servers, _SERVERS)
    with exporter_over(folder, servers, 1) as (exporter, _):
        config = next(folder.glob(f"{servers}-1-*/cln-monitor.yml"))
        url = config.read_text(encoding="utf-8").partition("api_url: ")[2].partition("\n")[0]
        return [*_one(scale, exporter, config, url), _many(scale, exporter)]


def _one(scale: Scale, exporter: Exporter, config: Path, url: str) -> list[Row]:
    python = sys.executable
    key = Fleet(0, 1).names[0]
    credentials = {"CLN_LOGIN": LOGIN, "CLN_SECRET_KEY": SECRET_KEY}
    commands: dict[str, Callable[[], Ended]] = {
        "libraries": lambda: run(python, "-c", _LIBRARIES, url, key),
        "floor": lambda: run(python, "-c", _FLOOR, exporter.address),
        "cln": lambda: run(python, str(_PLUGIN), "--api-url", url, environment=credentials),
        "config": lambda: run(python, str(_PLUGIN), "--config", str(config)),
        "exporter": lambda: run(python, str(_PLUGIN), "--exporter", f"http://{exporter.address}"),
    }
    used: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(scale.plugin_runs + 1):
        for name, command in commands.items():
            ended = command()
            assert ended.code in {0, 1, 2}, ended.output
            used[name].append(ended.cpu)
    cpu = {name: median(times[1:]) for name, times in used.items()}  # the first compiles
    libraries = cpu["libraries"]

    def row(what: str, name: str, most: float | None) -> Row:
        measured = f"{ratio(cpu[name] / libraries)} ({cpu[name] * 1000:.0f} ms to {libraries * 1000:.0f} ms)"
        bar = "" if most is None else f"≤ {most} ×"
        return Row(what, bar, measured, None if most is None else cpu[name] <= most * libraries)

    return [
        row("a plugin that asks CLN, CPU, beside `import requests, nagiosplugin` asking the same", "cln", 1.3),
        row("the same with a configuration file", "config", 1.5),
        row("the same through `--exporter`", "exporter", 0.65),
        row("the floor: `nagiosplugin`, `http.client`, `json` asking the exporter", "floor", None),
    ]


def _many(scale: Scale, exporter: Exporter) -> Row:
    def check(_: int) -> bool:
        ended = run(sys.executable, str(_PLUGIN), "--exporter", f"http://{exporter.address}")
        return ended.code == expected.code and ended.output.partition("\n")[0][:2] == expected.output[:2]

    expected = run(sys.executable, str(_PLUGIN), "--exporter", f"http://{exporter.address}")
    before = cpu_of(exporter.process.pid)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong = scale.many_plugins - sum(pool.map(check, range(scale.many_plugins)))
    cpu = (cpu_of(exporter.process.pid) - before) / scale.many_plugins
    return Row(
        f"{scale.many_plugins} plugins through `--exporter`: wrong ones, and the exporter's CPU for each",
        "0, ≤ 1 ms",
        f"{wrong}, {cpu * 1000:.2f} ms",
        not wrong and cpu <= 0.001,
    )
