"""The exporter during changes of the machine's clock, simulated with libfaketime."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from cln_monitor.probes import Ages, ProbeReport
from cln_monitor.simulator import Fault, Simulator, serve
from tests.helpers.pages import keep_block
from tests.helpers.running import CLN_EXPORTER, Exporter, running_exporter, wait_until
from tests.helpers.small_cln import LOGIN, SECRET_KEY, small_cln

pytestmark = pytest.mark.needs_server("faketime")

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
MAX_AGE = 4.0
OFF = ("imunify", "patch_status", "ip_licenses", "els", "groups", "awp", "cloudlinux")


@dataclass
class Machine:
    """An exporter that polls each second, and the clock of its machine."""

    cln: Simulator
    exporter: Exporter
    environment: dict[str, str]
    systemd: socket.socket

    def probe(self, name: str) -> ProbeReport:
        """Return the state of a probe."""
        probes = json.loads(self.exporter.ask("/api/v1/observations").text)["probes"]
        return msgspec.convert(next(probe for probe in probes if probe["probe"] == name), ProbeReport)

    def runs(self) -> int:
        """Return the number of runs of the status probe at CLN."""
        return sum(request.path.startswith("/status") for request in self.cln.requests)

    def pings(self) -> int:
        """Return the number of watchdog pings since the last call."""
        pings = 0
        try:
            while True:
                pings += "WATCHDOG=1" in self.systemd.recv(4096).decode()
        except BlockingIOError:
            return pings

    def used(self) -> tuple[float, float]:
        """Return the memory in MB and the CPU seconds of the exporter."""
        process = Path("/proc") / str(self.exporter.process.pid)
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
        fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return int(status["VmRSS"].split()[0]) / 1024, sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def set_clock(environment: Mapping[str, str], offset: str) -> None:
    """Set the clock of an environment to the correct time plus an ``offset``, such as ``-1d`` or ``+10y``."""
    file = Path(environment["FAKETIME_TIMESTAMP_FILE"])
    begun = file.with_suffix(".new")
    begun.write_text(f"{offset}\n", encoding="utf-8")
    begun.rename(file)


def faked(folder: Path) -> dict[str, str]:
    """Return the environment of programs with a clock that can be set; it is correct."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(folder / "clock"),
        "FAKETIME_CACHE_DURATION": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    set_clock(environment, "+0")
    return environment


def configure(folder: Path, url: str) -> str:
    """Write a configuration with two probes that poll each second, and return the option that names it."""
    config = folder / "cln-monitor.yml"
    off = "".join(f"  {name}: {{enabled: false}}\n" for name in OFF)
    config.write_text(
        f"api_url: {url}\nrequests_per_second: 0\nprobes:\n{off}"
        f"  status: {{interval: 1s, max_age: {MAX_AGE:.0f}s}}\n"
        f"  kernelcare: {{interval: 1s, max_age: {MAX_AGE:.0f}s}}\n"
        f"accounts:\n  - {{name: acme, login: {LOGIN}, secret_key: '{SECRET_KEY}'}}\n",
        encoding="utf-8",
    )
    return f"--config.file={config}"


@contextlib.contextmanager
def a_machine(folder: Path) -> Iterator[Machine]:
    """Yield a machine with a correct clock, and an exporter that has polled everything."""
    environment, cln = faked(folder), small_cln()
    with serve(cln) as served, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(folder / "notify"))
        systemd.setblocking(False)
        notify = {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "3000000"}
        exporter = Exporter(folder / "exporter.log", configure(folder, served.url), environment=environment | notify)
        try:
            exporter.wait_ready()
            wait_until(lambda: "cln_kernelcare_key_info{" in exporter.metrics(), "the keys")
            yield Machine(cln, exporter, environment, systemd)
        finally:
            exporter.stop()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Yield one machine for the tests after which its clock is correct again and CLN is well."""
    with a_machine(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


MOVES = {
    "-1d": "set back a day",
    "-50y": "set back 50 years",
    "+1h": "set an hour ahead",
    "+10y": "set 10 years ahead",
}
SEEN: dict[str, str] = {}
"""The row of the page, by how the clock was moved."""


@pytest.mark.parametrize("offset", MOVES)
def test_set_while_cln_fails(offset: str, machine: Machine) -> None:
    """Data is exposed until max_age, and page, JSON and check show its real age."""
    machine.cln.faults.add(Fault("html"))
    set_clock(machine.environment, offset)
    wait_until(lambda: "cln_kernelcare_key_info{" not in machine.exporter.metrics(), "the keys to expire")
    assert machine.exporter.ask("/sd/kernelcare").status == 503

    def is_exposed() -> bool:
        ages = machine.probe("kernelcare").ages or Ages()
        return (ages.last_success or 0) > MAX_AGE > (ages.last_run or 0) > 0

    wait_until(is_exposed, "the age of the last success")
    page = machine.exporter.ask("/").text
    assert "no data to show" in page
    check = subprocess.run(
        [CLN_EXPORTER.with_name("check_cln_exporter"), "--exporter", f"http://{machine.exporter.address}", "-w", "3"],
        capture_output=True,
        text=True,
        env=os.environ | machine.environment,
        check=False,
    )
    assert check.returncode == 1, check.stdout
    assert "last success" in check.stdout
    age = int(check.stdout.partition("oldest_success=")[2].partition("s")[0])
    assert MAX_AGE <= age < 600
    runs = machine.runs()
    wait_until(lambda: machine.runs() >= runs + 2, "polls")
    machine.cln.faults.clear()
    set_clock(machine.environment, "+0")  # by another one CLN refuses each token
    wait_until(lambda: "cln_kernelcare_key_info{" in machine.exporter.metrics(), "the keys, once CLN is well")
    (words,) = re.findall(r"kernelcare of acme: last success \d+s ago", check.stdout.partition("\n")[0])
    message = re.sub(r"\d+s", "…s", words)
    SEEN[offset] = f"| {MOVES[offset]} | continue | shown until `max_age` | WARNING: `{message}` |"


def test_page(request: pytest.FixtureRequest) -> None:
    """The documentation has the results of each change of the clock."""
    if set(SEEN) != set(MOVES):
        pytest.fail("the table is made of all moves: run the whole file", pytrace=False)
    rows = [
        "| change of the clock | polls | data while CLN fails | `check_cln_exporter` |",
        "| --- | --- | --- | --- |",
    ]
    table = "\n".join([*rows, *(SEEN[offset] for offset in MOVES)])
    keep_block(PAGE, "clock", table, update=request.config.getoption("--update-golden"))


JUMPS = ("+1h", "+10y", "+80y", "-1d", "-50y", "+0", "+80y", "-50y", "+20d")


def test_set_back_and_forth(tmp_path: Path) -> None:
    """Polls and pings continue after a change of the clock, and it costs neither memory nor CPU."""
    with a_machine(tmp_path) as machine:
        machine.cln.faults.add(Fault("latency", "/kcare/*", seconds=0.7))
        memory, processor = machine.used()
        for offset in JUMPS:
            set_clock(machine.environment, offset)
            runs = machine.runs()
            machine.pings()
            wait_until(lambda runs=runs: machine.runs() >= runs + 3, f"polls by a clock set to {offset}")  # type: ignore[misc]
            assert machine.probe("status").failure is None
            wait_until(machine.pings, f"a ping by a clock set to {offset}")
        assert machine.used()[0] < memory + 64
        assert machine.used()[1] < processor + 15
        assert "level=error" not in machine.exporter.log
        code, seconds = machine.exporter.stop()
        assert (code, seconds < 5) == (0, True)


def test_a_restart_after_the_clock_was_set_back(tmp_path: Path) -> None:
    """A saved state from the future is not exposed, as it would never expire."""
    environment, cln = faked(tmp_path), small_cln()
    with serve(cln) as served:
        arguments = (configure(tmp_path, served.url), f"--storage.path={tmp_path / 'state'}")
        with running_exporter(tmp_path, *arguments, environment=environment) as first:
            first.wait_ready()
        cln.faults.add(Fault("html"))
        set_clock(environment, "-45")
        with running_exporter(tmp_path, *arguments, environment=environment) as second:
            assert "cln_kernelcare_key_info{" not in second.metrics()
            second.wait_for_log("timestamps in the future; the clock has been set back")
