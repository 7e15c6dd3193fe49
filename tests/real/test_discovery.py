"""A real Prometheus discovers the servers of CLN through the exporter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Account, Fault, Simulator, serve
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Exporter, ask, running_exporter, wait_until
from tests.helpers.small_cln import KEY, LOGIN, SECRET_KEY

pytestmark = pytest.mark.needs_server("prometheus")

CONFIG = """\
api_url: {url}
requests_per_second: 0
probes:
  kernelcare: {{interval: 1s, max_age: 3s}}
  groups: {{enabled: true, interval: 1s}}
accounts: [{{name: acme, login: {login}, secret_key: {secret}}}]
"""
META = "__meta_cln_(account|key|server_id|group)"
PATIENCE = 40.0  # a Prometheus takes a new list every 5 s at most


@dataclass
class Lab:
    """The account, the exporter that monitors it, and the Prometheus that discovers its servers."""

    simulator: Simulator
    account: Account
    exporter: Exporter
    prometheus: Prometheus

    def addresses(self) -> list[str]:
        """Return the discovered targets of the Prometheus."""
        return [target["__address__"] for target in self.prometheus.targets("discovered")]

    def failures(self) -> float:
        """Return how many discovery requests failed."""
        metrics = ask(f"{self.prometheus.url}/metrics").text
        lines = [line for line in metrics.splitlines() if line.startswith("prometheus_sd_http_failures_total")]
        return float(lines[0].split()[-1])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Yield a lab with two servers, one of them in a group."""
    simulator = Simulator(seed=3)
    account = simulator.add_account(LOGIN, SECRET_KEY)
    key = account.add_kernelcare_key(key=KEY, limit=9)
    server = key.add_server("one", ip="127.0.0.2")
    key.add_server("two", ip="::1")
    account.add_group("web").add_server(server)
    config = tmp_path / "cln-monitor.yml"
    with serve(simulator) as served:
        config.write_text(CONFIG.format(url=served.url, login=LOGIN, secret=SECRET_KEY))
        with running_exporter(tmp_path, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            job = {
                "job_name": "discovered",
                "http_sd_configs": [
                    {"url": f"http://{exporter.address}/sd/kernelcare?port=9&account=acme", "refresh_interval": "1s"}
                ],
                "relabel_configs": [{"action": "labelmap", "regex": META, "replacement": "cln_$1"}],
            }
            prometheus = Prometheus(tmp_path, [exporter.address], jobs=[job])
            try:
                yield Lab(simulator, account, exporter, prometheus)
            finally:
                prometheus.stop()


def test_servers_come_stay_and_go(lab: Lab) -> None:
    """Servers are discovered with labels, kept while data is incomplete, and removed with CLN."""
    wait_until(lambda: lab.addresses() == ["127.0.0.2:9", "[::1]:9"], "Prometheus to find the servers", PATIENCE)
    one, two = lab.prometheus.targets("discovered")
    assert one["__meta_url"] == f"http://{lab.exporter.address}/sd/kernelcare?port=9&account=acme"
    expected = {"cln_account": "acme", "cln_key": mask_key(KEY), "cln_server_id": "one", "cln_group": ",web,"}
    assert expected.items() <= one.items()
    assert (two["cln_server_id"], "cln_group" in two) == ("two", False)
    assert lab.failures() == 0

    fault = lab.simulator.faults.add(Fault("status", "/kcare/key/*", status=401))
    wait_until(lambda: lab.exporter.ask("/sd/kernelcare").status == 503, "the data to be too old")
    before = lab.failures()
    wait_until(
        lambda: lab.failures() >= before + 7, "Prometheus to be refused for longer than it sits on a list", PATIENCE
    )
    assert lab.addresses() == ["127.0.0.2:9", "[::1]:9"]

    lab.account.kernelcare_keys[KEY].remove_server("one")
    lab.simulator.faults.remove(fault)
    wait_until(lambda: lab.addresses() == ["[::1]:9"], "Prometheus to forget the server that is gone", PATIENCE)
