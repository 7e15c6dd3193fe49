"""The cost of a plugin that queries CLN or the exporter, compared with the minimum for a plugin in Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import certifi

from tests.helpers.certificates import Authority
from tests.helpers.running import Exporter

from .exporter import exporter_over
from .fleet import LOGIN, SECRET_KEY, Fleet
from .polling import configuration
from .processes import Ended, cpu_of, module, run
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


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the rows of the plugins."""
    servers = min(scale.servers, _SERVERS)
    authority = Authority(directory)
    certificate, key = authority.issue("localhost")
    with (
        exporter_over(directory, servers, 1) as (exporter, _),
        module("cln", directory, servers, 1, "--certificate", certificate, "--key", key) as (_, ports),
    ):
        url = f"https://localhost:{ports[1]}/api"
        config = directory / "cln-monitor.yml"
        config.write_text(configuration(url, None, 8), encoding="utf-8")
        # Compiled by the first run only, as for an installed plugin, regardless of the environment of this process.
        written = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}
        compiled = written if scale.plugin_runs else {}
        trusting = compiled | {"PYTHONPATH": _trusting(authority, directory)}
        return [*_one(scale, exporter, config, url, trusting), *_many(scale, exporter, compiled)]


def _trusting(authority: Authority, directory: Path) -> str:
    """Create a ``certifi`` that also trusts the benchmark's CA, and return its path; its bundle keeps its full size."""
    package = directory / "trusting" / "certifi"
    package.mkdir(parents=True)
    bundle = package / "cacert.pem"
    bundle.write_text(certifi.contents() + authority.file.read_text(encoding="ascii"), encoding="utf-8")
    (package / "__init__.py").write_text(f"def where():\n    return {str(bundle)!r}\n", encoding="utf-8")
    return os.pathsep.join([str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])])


def _one(scale: Scale, exporter: Exporter, config: Path, url: str, trusting: dict[str, str]) -> list[Row]:
    python = sys.executable
    key = Fleet(0, 1).names[0]
    credentials = {"CLN_LOGIN": LOGIN, "CLN_SECRET_KEY": SECRET_KEY} | trusting
    commands: dict[str, Callable[[], Ended]] = {
        "libraries": lambda: run(python, "-c", _LIBRARIES, url, key, environment=trusting),
        "floor": lambda: run(python, "-c", _FLOOR, exporter.address, environment=trusting),
        "cln": lambda: run(python, str(_PLUGIN), "--api-url", url, environment=credentials),
        "config": lambda: run(python, str(_PLUGIN), "--config", str(config), environment=trusting),
        "exporter": lambda: run(python, str(_PLUGIN), *_through(exporter), environment=trusting),
    }
    used: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(scale.plugin_runs + 1):
        for name, command in commands.items():
            ended = command()
            assert ended.code in {0, 1, 2}, ended.output
            used[name].append(ended.cpu)
    cpu = {name: median(times[1:] or times) for name, times in used.items()}  # the first compiles
    libraries = cpu["libraries"]

    def row(quantity: str, name: str, most: float | None, why: str = "") -> Row:
        measured = f"{ratio(cpu[name] / libraries)} ({cpu[name] * 1000:.0f} ms to {libraries * 1000:.0f} ms)"
        limit = "" if most is None else f"≤ {most} ×"
        return Row(quantity, limit, measured, None if most is None else cpu[name] <= most * libraries, why)

    compared = "compared with `import requests, nagiosplugin` asking CLN the same"
    ours = "beside the libraries it imports msgspec, and our own modules: all calls, all probes, the configuration"
    return [
        row(f"CPU of a plugin that asks CLN, {compared}", "cln", 1.3, ours),
        row(f"CPU of a plugin with a configuration file, {compared}", "config", 1.5, f"{ours}, and all of PyYAML"),
        row(
            f"CPU of a plugin with `--exporter`, {compared}",
            "exporter",
            0.65,
            "it imports argparse, and our own modules",
        ),
        row(f"CPU of `nagiosplugin`, `http.client`, `json` asking the exporter (the floor), {compared}", "floor", None),
    ]


def _through(exporter: Exporter) -> tuple[str, ...]:
    return ("--exporter", f"http://{exporter.address}", "--account", "acme")


def _many(scale: Scale, exporter: Exporter, compiled: dict[str, str]) -> list[Row]:
    def ask() -> Ended:
        return run(sys.executable, str(_PLUGIN), *_through(exporter), environment=compiled)

    def is_wrong() -> bool:
        ended = ask()
        return ended.code != expected.code or not ended.output.startswith(start)

    expected = ask()
    start = expected.output.partition(":")[0]  # the state and the counts; the ages after them increase
    before = cpu_of(exporter.process.pid)
    wrong = sum(is_wrong() for _ in range(scale.many_plugins))
    cpu = (cpu_of(exporter.process.pid) - before) / scale.many_plugins
    runs = f"{scale.many_plugins} runs of a plugin with `--exporter`"
    return [
        Row(f"Wrong results of {runs}", "0", str(wrong), not wrong),
        Row(
            f"CPU of the exporter for each of {runs}",
            "≤ 1 ms",
            f"{cpu * 1000:.2f} ms",
            cpu <= 0.001,
            "the start of a plugin empties the caches of the processor, after which a request takes three times as "
            "long; three quarters of it are uvicorn, h11 and Starlette, as with a constant response",
        ),
    ]
