"""The exporter on signals: none ends it without a word."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """The real program over its demo."""
    with running_exporter(tmp_path_factory.mktemp("exporter"), "--demo") as running:
        yield running


@pytest.mark.parametrize("name", MEANINGLESS)
def test_a_signal_that_means_nothing_is_a_warning(name: str, exporter: Exporter) -> None:
    """The exporter goes on to serve, and its log says which signal came."""
    exporter.process.send_signal(getattr(signal, name))
    exporter.wait_for_log(
        rf'level=warning .*msg="signal ignored" .*signal={name}\b|msg="signal ignored" signal={name}\b'
    )
    assert exporter.ask("/-/healthy").status == 200


def test_a_real_time_signal_without_a_name_goes_by_its_number(exporter: Exporter) -> None:
    """Most of the real-time signals have a number alone."""
    exporter.process.send_signal(signal.SIGRTMIN + 5)
    exporter.wait_for_log(r"signal=SIGRTMIN\+5")
    assert exporter.ask("/-/healthy").status == 200


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGXFSZ", "SIGCHLD", "SIGURG", "SIGWINCH", "SIGCONT"])
def test_a_signal_that_python_or_linux_ignores_changes_nothing(name: str, exporter: Exporter) -> None:
    """The exporter goes on to serve."""
    exporter.process.send_signal(getattr(signal, name))
    assert exporter.ask("/-/healthy").status == 200


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGXCPU", "SIGABRT", "SIGSYS", "SIGTRAP"])
def test_a_signal_that_asks_for_a_core_file_leaves_the_stacks(name: str, tmp_path: Path) -> None:
    """The exporter ends by that signal, as without a handler, once its log says where each thread was."""
    with running_exporter(tmp_path, "--demo") as running:
        running.wait_ready()  # stacks are read while threads go on; between two polls they do not
        code, _ = running.stop(getattr(signal, name))
        assert code == -getattr(signal, name)
        # A thread that is not yet one of Python, or no longer, may get the signal: then none is the current one.
        wait_until(lambda: "(most recent call first)" in running.log, "the stacks")


def test_a_second_sigterm_does_not_cut_the_stop_short(tmp_path: Path) -> None:
    """Whatever sends SIGTERM twice gets the exit code of a stop."""
    with running_exporter(tmp_path, "--demo", f"--storage.path={tmp_path / 'state'}") as running:
        for _ in range(20):
            running.process.send_signal(signal.SIGTERM)
        code, _ = running.stop()
    assert code == 0, running.log
    assert "msg=stopped" in running.log
