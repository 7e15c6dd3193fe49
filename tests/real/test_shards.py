"""Three shards of two exporters each: Prometheus and a TSDB have every server once while exporters fail."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.probes import Shard
from cln_monitor.simulator import Simulator, serve
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Exporter, free_port
from tests.helpers.small_cln import LOGIN, SECRET_KEY
from tests.helpers.victoria_metrics import VictoriaMetrics

pytestmark = pytest.mark.needs_server("prometheus", "victoria-metrics")

KEYS = [f"SHAREDKEY{number:02d}ABCDE" for number in range(30)]
SERVERS = {key: 1 + number % 5 for number, key in enumerate(KEYS)}
FLEET = sum(SERVERS.values())
SHARDS = [Shard(index, 3) for index in range(3)]
OF_SHARD = [sum(SERVERS[key] for key in KEYS if shard.reads("acme", key)) for shard in SHARDS]
LICENSES = 7

COUNTED = "sum(max by (account, key, checkin) (cln_kernelcare_key_servers))"
NAMED = "count(max by (account, key, server_id) (cln_kernelcare_server_created_timestamp_seconds))"
LICENSED = "sum(max by (account, license, registered) (cln_ip_licenses))"
SHARDS_OF_KEY = (
    "count by (account, key) (count by (account, key, shard) "
    "(cln_kernelcare_key_info * on (instance) group_left (shard) cln_exporter_shard_info))"
)
SHARDS_MISSING = "max(cln_exporter_shards) - count(count by (shard) (cln_exporter_shard_info))"


@dataclass
class Lab:
    """The exporters by shard and replica, and the servers behind them."""

    folder: Path
    exporters: dict[tuple[Shard, str], Exporter]
    prometheus: Prometheus
    victoria: VictoriaMetrics

    def kill(self, shard: Shard, replica: str) -> None:
        """Kill an exporter."""
        self.exporters[shard, replica].process.kill()
        self.exporters[shard, replica].process.wait()

    def revive(self, shard: Shard, replica: str) -> None:
        """Restart a killed exporter at the same address."""
        address = self.exporters[shard, replica].address
        self.exporters[shard, replica] = start(self.folder, shard, replica, address)


def start(folder: Path, shard: Shard, replica: str, address: str) -> Exporter:
    """Start an exporter."""
    config = f"--config.file={folder / 'cln-monitor.yml'}"
    return Exporter(folder / f"{shard.index}{replica}.log", config, f"--shard={shard}", address=address)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Yield a fleet of 30 keys, six exporters that have polled it, and a Prometheus that writes to a TSDB."""
    simulator = Simulator(seed=1)
    account = simulator.add_account(LOGIN, SECRET_KEY)
    for key, servers in SERVERS.items():
        added = account.add_kernelcare_key(key=key, limit=10)
        for number in range(servers):
            added.add_server(f"{key}-{number}", ip=f"192.0.2.{number}")
    for number in range(LICENSES):
        account.add_ip_license(f"198.51.100.{number}", 16)
    with serve(simulator) as served, contextlib.ExitStack() as stack:
        (tmp_path / "cln-monitor.yml").write_text(
            f"api_url: {served.url}\nrequests_per_second: 0\n"
            f"accounts: [{{name: acme, login: {LOGIN}, secret_key: {SECRET_KEY}}}]\n"
        )
        names = [(shard, replica) for shard in SHARDS for replica in "ab"]
        victoria = VictoriaMetrics(tmp_path)
        stack.callback(victoria.stop)
        addresses = [f"127.0.0.1:{free_port()}" for _ in names]
        prometheus = Prometheus(tmp_path, addresses, remote_write=victoria.write_url)
        stack.callback(prometheus.stop)
        with ThreadPoolExecutor(len(names)) as pool:
            started = pool.map(lambda name, address: start(tmp_path, name[0], name[1], address), names, addresses)
            exporters = dict(zip(names, started, strict=True))
        lab = Lab(tmp_path, exporters, prometheus, victoria)
        try:
            yield lab
        finally:
            for exporter in lab.exporters.values():
                exporter.stop()


def test_the_fleet_is_seen_once_and_whole_while_exporters_die_and_return(lab: Lab) -> None:
    """One exporter of a pair can fail without a gap."""
    tsdb = lab.victoria
    tsdb.wait_for("count(cln_exporter_shard_info)", [6])
    tsdb.wait_for(COUNTED, [FLEET])
    tsdb.wait_for(NAMED, [FLEET])
    tsdb.wait_for(SHARDS_OF_KEY, [1.0] * len(KEYS))
    tsdb.wait_for("sum(cln_kernelcare_key_servers)", [2 * FLEET])  # which is why it is counted with max by
    tsdb.wait_for(LICENSED, [LICENSES])
    tsdb.wait_for('count(cln_probe_success{probe="ip_licenses"})', [2])
    tsdb.wait_for('count(cln_probe_success{probe="status"})', [6])
    whole_since = time.time()

    lab.kill(SHARDS[1], "a")
    tsdb.wait_for("count(up == 1)", [5])
    assert tsdb.query(COUNTED) == [FLEET]
    lab.revive(SHARDS[1], "a")
    tsdb.wait_for("count(up == 1)", [6])
    tsdb.wait_for("sum(cln_kernelcare_key_servers)", [2 * FLEET])
    assert set(tsdb.between(COUNTED, whole_since, time.time())) == {FLEET}
    tsdb.wait_for(SHARDS_MISSING, [0])

    for replica in "ab":
        lab.kill(SHARDS[1], replica)
    tsdb.wait_for(COUNTED, [FLEET - OF_SHARD[1]])
    tsdb.wait_for(NAMED, [FLEET - OF_SHARD[1]])
    tsdb.wait_for(SHARDS_MISSING, [1])
    lab.revive(SHARDS[1], "b")
    tsdb.wait_for(COUNTED, [FLEET])
    tsdb.wait_for(NAMED, [FLEET])
    assert lab.prometheus.query(COUNTED) == [({}, FLEET)]
