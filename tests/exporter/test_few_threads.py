"""Tests of the exporter when no further thread can be started: it polls, serves, reloads and stops."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cln_monitor.simulator import Simulator, serve
from tests.helpers.few_threads import DIES, REFUSED, STACK
from tests.helpers.running import Exporter, wait_until
from tests.helpers.small_cln import small_cln, write_config

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cln() -> Iterator[tuple[Simulator, str]]:
    """A simulated CLN with several keys, and its API root."""
    simulator = small_cln()
    (account,) = simulator.accounts.values()
    for number in range(20):
        account.add_kernelcare_key(f"MoreKey{number:09}").add_server()
    with serve(simulator) as served:
        yield simulator, served.url


def no_memory(exporter: Exporter, _: Path) -> None:
    """Limit the memory of the exporter, so that it cannot allocate the stack of another thread."""
    process = Path("/proc") / str(exporter.process.pid)
    status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="utf-8").splitlines())
    limit = int(status["VmSize"].split()[0]) * 1024 + STACK // 2
    resource.prlimit(exporter.process.pid, resource.RLIMIT_AS, (limit, limit))


def refused(_: Exporter, file: Path) -> None:
    """Make the system refuse further threads."""
    file.write_text(REFUSED, encoding="utf-8")


def dies(_: Exporter, file: Path) -> None:
    """Make further threads die before they run."""
    file.write_text(DIES, encoding="utf-8")


@pytest.mark.parametrize("limit", [no_memory, refused, dies])
def test_few_threads(limit: Callable[[Exporter, Path], None], cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """Without further threads the exporter polls all probes, serves all pages, reloads and stops."""
    file = tmp_path / "no-threads"
    exporter = Exporter(
        tmp_path / "exporter.log",
        f"--config.file={write_config(tmp_path, cln[1])}",
        f"--storage.path={tmp_path / 'state'}",
        program=(sys.executable, "-m", "tests.helpers.few_threads", str(file), "cln-exporter"),
        environment={"PYTHONPATH": str(ROOT)},
    )
    try:
        limit(exporter, file)
        before = len(cln[0].requests)
        exporter.wait_ready()
        wait_until(lambda: len(cln[0].requests) > before + 100, "polls", 60)
        for path in ("/", "/metrics", "/config", "/sd/kernelcare", "/api/v1/observations", "/probe?probe=status"):
            assert exporter.ask(path).status == 200, path
        success = [line for line in exporter.metrics().splitlines() if line.startswith("cln_probe_success{")]
        assert {line.rpartition(" ")[2] for line in success} == {"1"}
        exporter.process.send_signal(signal.SIGHUP)
        exporter.wait_for_log('msg="configuration reloaded"')
        assert "level=error" not in exporter.log
    finally:
        code, seconds = exporter.stop()
    assert (code, seconds < 5) == (0, True)


def test_no_threads_at_all(cln: tuple[Simulator, str], tmp_path: Path) -> None:
    """If no thread can be started at all, the exporter exits with 1 and one line."""
    file = tmp_path / "no-threads"
    file.write_text(REFUSED, encoding="utf-8")
    started = time.monotonic()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.helpers.few_threads", str(file), "cln-exporter"),
            f"--config.file={write_config(tmp_path, cln[1])}",
            "--web.listen-address=127.0.0.1:0",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert time.monotonic() - started < 60
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith(
        "cln-exporter: cannot start a thread; check the limits of processes"
    )
