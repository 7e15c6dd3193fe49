"""A real Prometheus scrapes the running exporter, and its query results are those an operator sees."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers import servers
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Exporter, free_port, running_exporter, wait_until
from tests.helpers.small_cln import KEY, small_cln, write_config

pytestmark = pytest.mark.needs_server("prometheus")

STALE = "time() - cln_kernelcare_server_last_checkin_timestamp_seconds > 86400"
USED = "sum by (account, key) (cln_kernelcare_key_servers) / on (account, key) cln_kernelcare_key_servers_limit"


@dataclass
class Lab:
    """The simulated CLN, the exporter that monitors it, and the Prometheus that scrapes the exporter."""

    simulator: Simulator
    config: Path
    folder: Path
    exporter: Exporter
    prometheus: Prometheus


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests: a Prometheus makes its first scrape 5 s after its start."""
    folder = tmp_path_factory.mktemp("lab")
    simulator = small_cln()
    address = f"127.0.0.1:{free_port()}"
    with serve(simulator) as served:
        config = write_config(folder, served.url)
        with running_exporter(folder, f"--config.file={config}", "--web.enable-lifecycle", address=address) as exporter:
            prometheus = Prometheus(folder, [exporter.address])
            try:
                prometheus.wait_for("up", [1])
                yield Lab(simulator, config, folder, exporter, prometheus)
            finally:
                prometheus.stop()


def test_the_target_is_up_and_all_of_it_is_read(lab: Lab) -> None:
    """Prometheus reads the whole exposition as gzipped OpenMetrics."""
    lab.prometheus.wait_for("up", [1])
    lines = [line for line in lab.exporter.metrics().splitlines() if not line.startswith("#")]
    lab.prometheus.wait_for("scrape_samples_scraped", [len(lines)])


def test_a_stale_check_in_is_found_by_its_age(lab: Lab) -> None:
    """The alert query finds the one server that stopped checking in."""
    lab.prometheus.wait_for(STALE, ["stale"], of="server_id")
    ((labels, age),) = lab.prometheus.query(STALE)
    assert (labels["account"], labels["ip"], labels["key"][:5]) == ("acme", "192.0.2.2", "WsTs-")
    assert age > 365 * 86400


def test_used_by_limit_is_a_ratio_also_without_a_limit(lab: Lab) -> None:
    """Three of four servers are 75%; an unlimited key is never full."""
    lab.prometheus.wait_for(USED, [0.0, 0.75])


def test_new_and_removed_server(lab: Lab) -> None:
    """A new server appears in Prometheus, and disappears when it is removed."""
    key = lab.simulator.accounts["pl4nted_login"].kernelcare_keys[KEY]
    created = 'cln_kernelcare_server_created_timestamp_seconds{server_id="newcomer"}'
    key.add_server("newcomer", ip="192.0.2.77", last_checkin=1682868360)
    lab.prometheus.wait_for(created, ["192.0.2.77"], of="ip")
    lab.prometheus.wait_for(USED, [0.0, 1.0])
    key.remove_server("newcomer")
    lab.prometheus.wait_for(created, [])
    lab.prometheus.wait_for(STALE, ["stale"], of="server_id")


def test_a_failing_probe_says_so_and_keeps_its_data(lab: Lab) -> None:
    """A refused probe fails with its reason, keeps its servers and recovers."""
    fault = lab.simulator.faults.add(Fault("status", "/kcare/key/*", status=401))
    lab.prometheus.wait_for('cln_probe_success{probe="kernelcare"}', [0])
    lab.prometheus.wait_for('cln_probe_failures_total{probe="kernelcare"} > 0', ["auth"], of="reason")
    lab.prometheus.wait_for(STALE, ["stale"], of="server_id")
    lab.simulator.faults.remove(fault)
    lab.prometheus.wait_for('cln_probe_success{probe="kernelcare"}', [1])


def test_a_reload_renames_an_account_in_prometheus(lab: Lab) -> None:
    """After a reload, series of the old name end, and those of the new one start."""
    before = lab.config.read_text()
    lab.config.write_text(before.replace("name: acme", "name: renamed"))
    assert lab.exporter.ask("/-/reload", "POST").status == 200
    lab.prometheus.wait_for("count by (account) (cln_kernelcare_key_info)", ["renamed"], of="account")
    lab.config.write_text(before)
    assert lab.exporter.ask("/-/reload", "POST").status == 200
    lab.prometheus.wait_for("count by (account) (cln_kernelcare_key_info)", ["acme"], of="account")


def test_promtool_finds_nothing_to_say(lab: Lab, tmp_path: Path) -> None:
    """promtool's linter reports nothing for odd notes and for the demo."""
    assert _promtool_check(lab.exporter.metrics()) == (0, "")
    with running_exporter(tmp_path, "--demo") as demo:
        demo.wait_ready()
        assert _promtool_check(demo.metrics()) == (0, "")


def test_a_restart_is_a_gap_and_nothing_more(lab: Lab) -> None:
    """A restart of the exporter is only a gap in Prometheus."""
    code, _ = lab.exporter.stop()
    assert code == 0
    lab.prometheus.wait_for("up", [0])
    lab.prometheus.wait_for(STALE, [])
    with running_exporter(lab.folder, f"--config.file={lab.config}", address=lab.exporter.address) as again:
        lab.prometheus.wait_for("up", [1])
        lab.prometheus.wait_for(STALE, ["stale"], of="server_id")
        wait_until(lambda: again.ask("/-/ready").status == 200, "the new exporter to be ready")


def _promtool_check(metrics: str) -> tuple[int, str]:
    command = [servers.path("promtool"), "check", "metrics"]
    done = subprocess.run(
        command, input=metrics.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False
    )
    return done.returncode, done.stdout.decode()
