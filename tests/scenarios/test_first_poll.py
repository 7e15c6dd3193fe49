"""The first poll of a running exporter: metrics, discovery and plugins; reload, shutdown and restart meanwhile."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cln_monitor.simulator import Account, Simulator, serve
from tests.helpers.gate import Gate
from tests.helpers.running import PATIENCE, Exporter, running_exporter, wait_until
from tests.helpers.small_cln import LOGIN, SECRET_KEY

pytestmark = pytest.mark.processes

PLUGINS = Path(sys.executable).parent
KEYS = 12


@contextmanager
def fleet() -> Iterator[tuple[Account, Gate, str]]:
    """Serve an account with 12 KernelCare keys that are full, and return it with a gate and the URL of the API."""
    simulator = Simulator()
    account = simulator.add_account(LOGIN, SECRET_KEY)
    for number in range(KEYS):
        key = account.add_kernelcare_key(f"KEY{number:013}", limit=2)
        for server in range(2):
            key.add_server(f"s{number}-{server}", ip=f"192.0.2.{2 * number + server + 1}")
    with serve(simulator) as served:
        gate = Gate(simulator)
        try:
            yield account, gate, served.url
        finally:
            gate.open()


def write(directory: Path, url: str, concurrency: int = 4) -> Path:
    """Write the configuration of the account, which is polled once, and return its path."""
    config = directory / "cln-monitor.yml"
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in ("imunify", "patch_status", "ip_licenses"))
    config.write_text(
        f"api_url: {url}\nrequests_per_second: 0\nconcurrency: {concurrency}\ntimeout: 1m\nprobes:\n{off}"
        f"  kernelcare: {{interval: 1h, max_age: 4h}}\n"
        f"accounts: [{{name: acme, login: {LOGIN}, secret_key: {SECRET_KEY}}}]\n"
    )
    config.chmod(0o600)
    return config


def keys(exporter: Exporter) -> int:
    """Return the number of keys in a scrape."""
    return exporter.metrics().count("\ncln_kernelcare_key_info{")


def success(exporter: Exporter) -> str:
    """Return the value of cln_probe_success of KernelCare."""
    found = re.search(r'^cln_probe_success\{.*probe="kernelcare"\} (\d)$', exporter.metrics(), re.MULTILINE)
    return found[1] if found else ""


def check(exporter: Exporter, *command: str) -> tuple[int, str]:
    """Return the exit code and the first line of a plugin that reads the exporter."""
    url = f"--exporter=http://{exporter.address}"
    done = subprocess.run(
        [PLUGINS / command[0], url, *command[1:]], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return done.returncode, done.stdout.partition("\n")[0]


def test_reload_shutdown_and_restart(tmp_path: Path) -> None:
    """Finished keys are shown as they come, also after a reload; plugins and discovery wait; only whole data are saved.

    A restart with a complete state shows that until the next poll has ended.
    """
    state = f"--storage.path={tmp_path / 'state'}"
    with fleet() as (account, gate, url):
        config = write(tmp_path, url)
        with running_exporter(tmp_path, f"--config.file={config}", state) as exporter:
            gate.allow(3)
            wait_until(lambda: keys(exporter) == 3, "the first three keys")
            assert success(exporter) == "0"
            assert exporter.ask("/-/ready").status == 503
            assert "first poll: 3 of 12 keys" in exporter.ask("/sd/kernelcare").text
            assert check(exporter, "check_cln_kernelcare", "-a", "acme") == (3, "UNKNOWN - first poll: 3 of 12 keys")
            code, line = check(exporter, "check_cln_exporter")
            assert (code, "kernelcare of acme is in its first poll: 3 of 12 keys" in line) == (3, True)
            write(tmp_path, url, concurrency=3)
            exporter.process.send_signal(signal.SIGHUP)
            exporter.wait_for_log("configuration reloaded")
            assert (keys(exporter), success(exporter)) == (3, "0")
            gate.allow(1)
            wait_until(lambda: keys(exporter) == 4, "a fourth key after the reload")
            code, seconds = exporter.stop()
            assert (code, seconds < PATIENCE / 2) == (0, True)
        with running_exporter(tmp_path, f"--config.file={config}", state) as exporter:
            assert (keys(exporter), success(exporter)) == (0, "")
            gate.open()
            exporter.wait_ready()
            assert (keys(exporter), success(exporter)) == (KEYS, "1")
            code, line = check(exporter, "check_cln_kernelcare", "-a", "acme")
            assert (code, line.startswith("WARNING - 12 keys full")) == (1, True), line
            assert exporter.ask("/sd/kernelcare").status == 200
        gate.shut()
        with running_exporter(tmp_path, f"--config.file={config}", state) as exporter:
            account.add_kernelcare_key("ANOTHERKEY000001")
            gate.allow(5)
            wait_until(lambda: '"kernelcare"' in exporter.ask("/api/v1/observations").text, "the index")
            assert (keys(exporter), success(exporter)) == (KEYS, "1")
            assert exporter.ask("/-/ready").status == 503
            assert check(exporter, "check_cln_kernelcare", "-a", "acme")[0] == 1
            gate.open()
            exporter.wait_ready()
            assert success(exporter) == "1"
