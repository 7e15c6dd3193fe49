"""The CPU that an Icinga 2 uses itself for a result of cln-feed, compared with a check that it runs."""

from __future__ import annotations

import base64
import contextlib
import grp
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.sinks import SINKS, Delivery
from cln_monitor.feed.sinks.connection import Connection, Request
from cln_monitor.feed.sinks.receiver import TlsFiles
from tests.helpers.running import Program, free_port, wait_until
from tests.helpers.servers import find

from .exporter import exporter_over
from .processes import PATIENCE, cpu_of
from .scale import Scale
from .table import Row, ratio

_QUANTITY = "CPU of Icinga 2 itself per result of cln-feed, compared with a check that it runs"
_PLUGIN = Path(__file__).parents[2] / "plugins" / "check_cln_kernelcare"
_PASSWORD = "of-this-benchmark-alone"  # noqa: S105 # of a server on loopback that ends with the benchmark
_RESULTS_PER_CHECK = 20
_CHECKS_PER_RUN = 5  # checks for each run of a plugin that the scale asks for
_DIRECTORIES = {"Config": "etc", "Data": "data", "Log": "log", "Cache": "cache", "Spool": "spool", "InitRun": "run"}
_CONFIG = """\
const NodeName = "bench"
const ZoneName = NodeName
include <itl>
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
object CheckerComponent "checker" {{ }}
object ApiListener "api" {{ bind_host = "127.0.0.1"; bind_port = {port} }}
object ApiUser "bench" {{ password = "{password}"; permissions = [ "*" ] }}
object CheckCommand "plugin" {{ command = {command} }}
object Host "bench" {{ check_command = "dummy" }}
for (number in range({services})) {{
  object Service "active" + number {{
    host_name = "bench"
    check_command = "plugin"
    check_interval = 1d
    enable_active_checks = false
  }}
  object Service "fed" + number {{ host_name = "bench"; check_command = "dummy"; enable_active_checks = false }}
}}
"""


def measure(scale: Scale, directory: Path) -> list[Row]:
    """Return the row of Icinga."""
    services = max(1, scale.plugin_runs * _CHECKS_PER_RUN)
    servers = min(scale.servers, 1000)
    with (
        exporter_over(directory, servers, min(scale.keys, servers)) as (exporter, _),
        _icinga(directory, f"http://{exporter.address}", services) as icinga,
    ):
        if icinga is None:
            return [Row(_QUANTITY, "", "icinga2 is not installed", None)]
        check = _checks(icinga, services)
        result = _results(icinga, services, services * _RESULTS_PER_CHECK)
        return [
            Row(
                _QUANTITY,
                "≤ 1/2",
                f"{ratio(result / check)} ({result * 1000:.2f} ms to {check * 1000:.2f} ms, without the plugin)",
                result <= check / 2,
                "each result is an HTTP request",
            )
        ]


@dataclass(frozen=True)
class _Icinga:
    """A running Icinga, with the files that its users need."""

    pid: int
    url: str
    ca_file: Path
    password_file: Path

    @property
    def cpu(self) -> float:
        """The CPU seconds that its processes have used so far, without those of plugins."""
        return sum(map(cpu_of, _processes(self.pid)))

    def ask(self, path: str, document: object) -> list[dict[str, Any]]:
        """Return the results at a path of the API."""
        credentials = base64.b64encode(f"bench:{_PASSWORD}".encode()).decode()
        headers = f"Accept: application/json\r\nAuthorization: Basic {credentials}\r\nX-HTTP-Method-Override: "
        method = "GET" if path.startswith("/v1/objects") else "POST"
        request = Request("POST", path, f"{headers}{method}\r\n", json.dumps(document).encode())
        connection = Connection(self.url, TlsFiles(str(self.ca_file)), "bench")
        with contextlib.closing(connection):
            status, body = connection.exchange(request, PATIENCE)
        assert status == 200, body
        results: list[dict[str, Any]] = json.loads(body)["results"]
        return results


def _processes(pid: int) -> Iterator[int]:
    """Yield the process ids of Icinga: the started one, and those of the same program below it."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if Path(f"/proc/{pid}/comm").read_text("ascii").strip() == "icinga2":
            yield pid
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                for child in children.read_text("ascii").split():
                    yield from _processes(int(child))


def _checks(icinga: _Icinga, services: int) -> float:
    """Return the CPU seconds of a check, without those of the plugin."""
    everything = {"type": "Service", "filter": 'match("active*", service.name)', "force": True}
    began = icinga.cpu
    icinga.ask("/v1/actions/reschedule-check", everything)
    waiting = {"filter": 'match("active*", service.name) && !service.last_check_result', "attrs": ["name"]}

    def are_done() -> bool:
        time.sleep(0.5)  # each look costs CPU time of Icinga
        # With a service that is always found, as an empty result is an error.
        found = icinga.ask(
            "/v1/objects/services", waiting | {"filter": f'({waiting["filter"]}) || service.name == "fed0"'}
        )
        return len(found) == 1

    wait_until(are_done, "all checks", PATIENCE)
    return (icinga.cpu - began) / services


def _results(icinga: _Icinga, services: int, results: int) -> float:
    """Return the CPU seconds of a submitted result."""
    (active,) = icinga.ask("/v1/objects/services", {"filter": 'service.name == "active0"'})
    check = active["attrs"]["last_check_result"]
    output, perfdata, state = check["output"], " ".join(check["performance_data"]), int(check["state"])
    assert state < 3, output
    kind = SINKS["icinga2"]
    settings = kind.settings(
        url=icinga.url,
        username="bench",
        password_file=str(icinga.password_file),
        ca_file=str(icinga.ca_file),
        tls_server_name="bench",
    )
    sink = kind.make(settings)
    batch = [
        FeedResult("bench", f"fed{number % services}", state, output, perfdata, _PLUGIN.name)
        for number in range(results)
    ]
    with contextlib.closing(sink):
        sink.send(batch[:1], now=time.time(), ttl=3600.0)
        began = icinga.cpu
        outcomes = sink.send(batch, now=time.time(), ttl=3600.0)
        used = icinga.cpu - began
    assert {outcome.delivery for outcome in outcomes} == {Delivery.DELIVERED}, outcomes[-1]
    return used / results


@contextlib.contextmanager
def _icinga(directory: Path, exporter: str, services: int) -> Iterator[_Icinga | None]:
    """Run an Icinga with its files in ``directory``; provide None if it is not installed."""
    program = find("icinga2")
    if program is None:
        yield None
        return
    for name in _DIRECTORIES.values():
        (directory / name).mkdir()
    port = free_port()
    command = [sys.executable, str(_PLUGIN), "--exporter", exporter, "--account", "acme"]
    config = directory / "etc" / "icinga2.conf"
    config.write_text(
        _CONFIG.format(port=port, password=_PASSWORD, command=json.dumps(command), services=services), encoding="utf-8"
    )
    password_file = directory / "password"
    password_file.write_text(_PASSWORD, encoding="ascii")
    password_file.chmod(0o600)
    defined = [f"-D{name}Dir={directory / place}" for name, place in _DIRECTORIES.items()]
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    environment = {"ICINGA2_USER": user, "ICINGA2_GROUP": group}
    certificates = directory / "data" / "certs"
    certificates.mkdir()
    certificate = certificates / "bench.crt"
    files = ["--key", str(certificates / "bench.key"), "--cert", str(certificate)]
    subprocess.run(
        [program, "pki", "new-cert", "--cn", "bench", *files, *defined],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        timeout=PATIENCE,
        check=True,
    )
    (certificates / "ca.crt").write_bytes(certificate.read_bytes())  # it has signed itself
    daemon = Program([program, "daemon", "--config", str(config), *defined], directory / "icinga.log", environment)
    try:
        daemon.wait_for_log("Activated all objects")
        yield _Icinga(daemon.process.pid, f"https://127.0.0.1:{port}", certificate, password_file)
    finally:
        daemon.stop()
