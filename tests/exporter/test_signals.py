"""Tests of signals: none terminates the exporter silently."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.running import Exporter, running_exporter, wait_until

pytestmark = pytest.mark.processes

MEANINGLESS = (
    *("SIGALRM", "SIGIO", "SIGPROF", "SIGPWR", "SIGSTKFLT", "SIGUSR1", "SIGUSR2", "SIGVTALRM"),
    *("SIGRTMIN", "SIGRTMAX"),
)


def threads_of(exporter: Exporter) -> dict[str, str]:
    """Return the state and the number of context switches of each thread of the exporter."""
    files = Path(f"/proc/{exporter.process.pid}/task").glob("*/status")
    return {
        file.parent.name: "".join(re.findall(r"^State:.*|ctxt.*", file.read_text(), re.MULTILINE)) for file in files
    }


def is_idle(exporter: Exporter) -> bool:
    """Return whether all threads of the exporter slept from one look to the next."""
    try:
        before = threads_of(exporter)
        return all("sleeping" in state for state in before.values()) and threads_of(exporter) == before
    except OSError:  # a thread ended
        return False


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """The program with its demo."""
    with running_exporter(tmp_path_factory.mktemp("exporter"), "--demo") as running:
        yield running


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_meaningless_signal_is_a_warning(name: str, exporter: Exporter) -> None:
    """A signal without a meaning is logged with its name, and the exporter keeps serving."""
    exporter.process.send_signal(getattr(signal, name))
    exporter.wait_for_log(
        rf'level=warning .*msg="signal ignored" .*signal={name}\b|msg="signal ignored" signal={name}\b'
    )
    assert exporter.ask("/-/healthy").status == 200


def test_a_real_time_signal_without_a_name(exporter: Exporter) -> None:
    """A real-time signal without a name is logged as SIGRTMIN plus a number."""
    exporter.process.send_signal(signal.SIGRTMIN + 5)
    exporter.wait_for_log(r"signal=SIGRTMIN\+5")
    assert exporter.ask("/-/healthy").status == 200


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT"])
def test_an_ignored_signal(name: str, exporter: Exporter) -> None:
    """The exporter keeps serving after a signal that Python or Linux ignores."""
    exporter.process.send_signal(getattr(signal, name))
    assert exporter.ask("/-/healthy").status == 200


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGXCPU", "SIGABRT", "SIGSYS", "SIGTRAP"])
def test_a_signal_that_dumps_core(name: str, tmp_path: Path) -> None:
    """A signal that dumps core terminates the exporter after the stacks of its threads are in the log."""
    with running_exporter(tmp_path, "--demo") as running:
        running.wait_ready()
        # The handler reads stacks while they change, on which one of a hundred dumps during a poll crashes.
        wait_until(lambda: is_idle(running), "a pause between polls")
        code, _ = running.stop(getattr(signal, name))
        assert code == -getattr(signal, name)
        # The signal may be delivered to a thread without Python state: then there is no current thread.
        wait_until(lambda: "(most recent call first)" in running.log, "the stacks")


def test_repeated_sigterm(tmp_path: Path) -> None:
    """Repeated SIGTERM does not interrupt the shutdown, and the exit code is 0."""
    with running_exporter(tmp_path, "--demo", f"--storage.path={tmp_path / 'state'}") as running:
        for _ in range(20):
            running.process.send_signal(signal.SIGTERM)
        code, _ = running.stop()
    assert code == 0, running.log
    assert "msg=stopped" in running.log
