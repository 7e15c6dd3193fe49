"""A simulated account with all states for both monitoring cores, and the plugins' results to compare with."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Fault, Fixed, Simulator, serve
from tests.helpers.running import PATIENCE, Exporter, running_exporter
from tests.helpers.small_cln import IMUNIFY_KEY, KEY, LOGIN, REGISTRATION_TOKEN, SECRET_KEY, write_config

PLUGINS = Path(__file__).parents[2] / "plugins"
STATES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
ENVIRONMENT = {"PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"}
"""The environment of a core, in which the plugins' first line finds the tests' Python."""

SILENT_KEY, LOST_KEY, SLOW_KEY = "SiLentServers2Days", "LoStServersAll1Key", "SlowAnswersHang1ng"
FINE, SILENT, LOST, SLOW = (mask_key(key) for key in (KEY, SILENT_KEY, LOST_KEY, SLOW_KEY))
"""The labels of the KernelCare keys whose servers are OK, WARNING, CRITICAL, and OK once CLN has answered."""
NONE_SUCH = "NoNe-00000000"
MONITORING_KEY = "MonitoringKey0123456789"
FIGURES_OF_SERVERS = {
    "servers",
    "stale",
    "never_checked_in",
    "unknown_checkin",
    "oldest_checkin",
    "limit_usage",
    "superseded",
}
"""The performance data of a check of a key's servers."""
HANG_TIMEOUT = 6
"""Seconds, of a check that CLN lets hang: time enough for a plugin to start on a busy machine."""
GIVEN_UP_AFTER = 60
"""Seconds after which a core itself ends a check."""
NO_ANSWER = "timed out after .* while (waiting for the response|reading kernelcare)"
"""A plugin's message for a hanging CLN, or on a busy machine, for its timeout."""

HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class Result:
    """The result of a check in a core or of a plugin; ``perfdata`` are texts by label."""

    state: str
    text: str
    lines: tuple[str, ...]
    perfdata: dict[str, str]

    @property
    def lasting(self) -> Result:
        """The result without ages in the perfdata, and with their units alone in the text: they differ between runs."""
        ages = ("oldest_checkin", "oldest_success")
        perfdata = {label: value for label, value in self.perfdata.items() if label not in ages}
        return Result(self.state, _without_ages(self.text), tuple(map(_without_ages, self.lines)), perfdata)


def _without_ages(text: str) -> str:
    return re.sub(r"\d+([smhd])\b", r"\1", text)


@dataclass(frozen=True)
class Watched:
    """The simulated CLN, the exporter that monitors it, and their addresses."""

    simulator: Simulator
    api_url: str
    config: Path
    exporter: Exporter
    key_file: Path

    @property
    def exporter_url(self) -> str:
        """The URL of the exporter, as an option of checks."""
        return f"http://{self.exporter.address}"

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Make calls for the servers of the slow key hang within the context."""
        fault = self.simulator.faults.add(Fault("hang", match=SLOW_KEY))
        try:
            yield
        finally:
            self.simulator.faults.remove(fault)

    @contextlib.contextmanager
    def silent(self, key: str, seconds: float) -> Iterator[None]:
        """Set the last check-ins of a KernelCare key's servers that long ago, within the context."""
        servers = self.simulator.accounts[LOGIN].kernelcare_keys[key].servers.values()
        before = {server.server_id: server.checkins for server in servers}
        for server in servers:
            server.checkins = Fixed(time.time() - seconds)
        try:
            yield
        finally:
            for server in servers:
                server.checkins = before[server.server_id]


@contextlib.contextmanager
def watched(directory: Path) -> Iterator[Watched]:
    """Simulate the account, and run an exporter that monitors it; files are in ``directory``."""
    simulator = Simulator(seed=2)
    now = time.time()
    account = simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)
    created = now - 60 * DAY
    for key, ip, silent_for, patch_state in (
        (KEY, "192.0.2.1", 1.5 * HOUR, "uptodate"),
        (SILENT_KEY, "192.0.2.2", 2.5 * DAY, "unsupported"),
        (LOST_KEY, "192.0.2.3", 2.5 * DAY, "uptodate"),
        (SLOW_KEY, "192.0.2.4", 2.5 * HOUR, "uptodate"),
    ):
        added = account.add_kernelcare_key(key=key, limit=10, created=created)
        added.add_server(ip=ip, created=created, last_checkin=now - silent_for, patch_state=patch_state)
        if key == LOST_KEY:  # a key of two, none of which checks in, is CRITICAL
            added.add_server(ip="192.0.2.5", created=created, last_checkin=now - 3.5 * DAY, patch_state=patch_state)
    imunify = account.add_imunify_key(key=IMUNIFY_KEY, code="360_250", limit=2)
    imunify.add_server(ip="198.51.100.1", created=created, last_checkin=now - 3.5 * HOUR)
    account.add_ip_license("192.0.2.1", 1, created=created, last_checkin=now - 1.5 * HOUR)
    account.add_ip_license("192.0.2.9", 1, registered=False, created=created)
    key_file = directory / "monitoring.key"
    key_file.write_text(f"{MONITORING_KEY}\n")
    with serve(simulator) as served:
        config = write_config(directory, served.url)
        with running_exporter(directory, f"--config.file={config}") as exporter:
            try:
                exporter.wait_ready()
                yield Watched(simulator, served.url, config, exporter, key_file)
            finally:
                served.close()  # before the exporter, which waits for calls that hang


def run_plugin(plugin: str, *arguments: str) -> Result:
    """Return the current output of a plugin."""
    done = subprocess.run(
        [str(PLUGINS / plugin), *arguments],
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        timeout=PATIENCE,
        check=False,
    )
    return result(done.returncode, done.stdout.decode())


def result(code: int, output: str, perfdata: str | None = None) -> Result:
    """Return the result for an exit ``code`` and ``output``, which ends with the perfdata unless given separately."""
    first, *lines = output.rstrip("\n").split("\n")
    if perfdata is None:
        first, _, perfdata = first.partition("|")
    labelled = dict(field.split("=", 1) for field in perfdata.split())
    return Result(STATES[code], first.strip(), tuple(lines), labelled)
