"""Measure the input of docs/sizing.md: python -m tools.sizing 10000 100000 300000 1000000.

The exporter polls a simulated account with these numbers of KernelCare servers, 100 per key, and is scraped as by
Prometheus.
"""

from __future__ import annotations

import gzip
import os
import re
import sys
import tempfile
import urllib.request
from pathlib import Path

from cln_monitor.simulator import Simulator, serve
from cln_monitor.simulator.fleet import SERVERS_PER_KEY
from tests.helpers.running import Exporter, wait_until
from tests.helpers.small_cln import LOGIN, SECRET_KEY

PATIENCE = 1800.0
_POLLS = 3
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(servers: int, *, server_series: bool) -> str:
    """Return a line with the measurements of a fleet of ``servers``."""
    simulator = Simulator(seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY)
    for number in range(servers):
        if number % SERVERS_PER_KEY == 0:
            key = account.add_kernelcare_key(limit=SERVERS_PER_KEY, note=f"customer {number}")
        key.add_server()
    off = ", ".join(f"{probe}: {{enabled: false}}" for probe in ("imunify", "patch_status", "ip_licenses"))
    with tempfile.TemporaryDirectory() as directory, serve(simulator) as served:
        config = Path(directory) / "cln-monitor.yml"
        config.write_text(
            f"api_url: {served.url}\nrequests_per_second: 0\nconcurrency: 2\nmax_server_series: 100000000\n"
            f"probes: {{kernelcare: {{server_series: {str(server_series).lower()}}}, {off}}}\n"
            f"accounts: [{{name: acme, login: {LOGIN}, secret_key: {SECRET_KEY}}}]\n"
        )
        exporter = Exporter(Path(directory) / "exporter.log", f"--config.file={config}")
        try:
            wait_until(lambda: exporter.ask("/-/ready").status == 200, "the first poll", PATIENCE)
            before, zipped = _cpu(exporter), b""
            for _ in range(_POLLS):
                _fetch(exporter, "/probe?account=acme&probe=kernelcare")
                zipped = _fetch(exporter, "/metrics")
            cpu = (_cpu(exporter) - before) / _POLLS
            text = gzip.decompress(zipped)
            series = sum(not line.startswith(b"#") for line in text.splitlines())
            status = Path(f"/proc/{exporter.process.pid}/status").read_text()
        finally:
            exporter.stop()
    resident, highest = (int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024 for name in ("VmRSS", "VmHWM"))  # type: ignore[index] # Linux has them
    return (
        f"{servers:>9,} servers, {'with' if server_series else 'without'} per-server series: {series:>9,} series, "
        f"{len(text) / 1e6:.1f} MB per scrape, {len(zipped) / 1e6:.2f} MB gzipped, {resident:.0f} MiB resident, "
        f"{highest:.0f} MiB peak, {cpu:.2f} s CPU per poll"
    )


def _fetch(exporter: Exporter, path: str) -> bytes:
    request = urllib.request.Request(f"http://{exporter.address}{path}", headers={"Accept-Encoding": "gzip"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=PATIENCE) as response:
        body: bytes = response.read()
    return body


def _cpu(exporter: Exporter) -> float:
    fields = Path(f"/proc/{exporter.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    for count in map(int, sys.argv[1:]):
        for server_series in (True, False):
            print(measure(count, server_series=server_series), flush=True)  # noqa: T201 # what it is for
