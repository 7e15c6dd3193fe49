"""Tests of standard streams that are closed, full or not read: the exporter runs, and its exit code is correct."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import pytest

from tests.helpers.running import CLN_EXPORTER, PATIENCE, ask, free_port, wait_until
from tests.helpers.streams import unwritable, without

pytestmark = pytest.mark.processes


class _Quiet:
    """An exporter with its demo whose log cannot be read."""

    def __init__(self, command: Sequence[str], port: int, stdout: IO[Any] | int, stderr: IO[Any] | int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)

    def is_healthy(self) -> bool:
        """Return whether it is serving; fail if it has exited."""
        assert self.process.poll() is None, f"it ended with {self.process.returncode}"
        try:
            return ask(f"{self.url}/-/healthy").status == 200
        except OSError:  # not yet
            return False

    def descriptors(self) -> list[str]:
        """Return the files of the descriptors 0, 1 and 2."""
        return [str(Path(f"/proc/{self.process.pid}/fd/{number}").readlink()) for number in range(3)]

    def lives_and_stops(self) -> None:
        """Assert that it serves, reloads and stops."""
        wait_until(self.is_healthy, "the exporter to serve")
        assert not [file for file in self.descriptors() if file.startswith("socket:")]
        for number in (signal.SIGHUP, signal.SIGUSR1):  # each of them is logged
            self.process.send_signal(number)
        wait_until(lambda: ask(f"{self.url}/-/ready").status == 200, "the exporter to be ready")
        assert "cln_kernelcare_key_servers{" in ask(f"{self.url}/metrics").text
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture
def port() -> int:
    """A free port, as the exporter cannot log its own."""
    return free_port()


def _ended(quiet: _Quiet) -> None:
    try:
        quiet.lives_and_stops()
    finally:
        quiet.process.kill()
        quiet.process.wait()


@pytest.mark.parametrize("closed", [{0}, {1}, {2}, {0, 1, 2}], ids=str)
def test_it_runs_without_standard_streams(closed: set[int], port: int) -> None:
    """The exporter serves with any standard stream closed, and no socket uses the descriptor of one."""
    command = without(closed, [str(CLN_EXPORTER), "--demo", f"--web.listen-address=127.0.0.1:{port}"])
    _ended(_Quiet(command, port, subprocess.DEVNULL, subprocess.DEVNULL))


@pytest.mark.parametrize("how", ["full", "gone"])
def test_it_runs_if_its_output_cannot_be_written(how: str, port: int) -> None:
    """Neither a full disk nor a closed pipe of the log stops the exporter."""
    command = [str(CLN_EXPORTER), "--demo", f"--web.listen-address=127.0.0.1:{port}", "--log.level=debug"]
    with unwritable(how) as file:
        _ended(_Quiet(command, port, file, file))


@pytest.mark.parametrize("how", ["closed", "full", "gone"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--config.file=/nowhere",), 1), (("--nonsense",), 1), (("--demo", "--config.check"), 0), (("--version",), 0)],
    ids=["no-configuration", "bad-flag", "check", "version"],
)
def test_the_exit_code_does_not_depend_on_stderr(how: str, arguments: tuple[str, ...], code: int) -> None:
    """The exit code is correct even if stderr cannot be written."""
    done = _run(2, how, arguments)
    assert done.returncode == code
    assert (done.stdout != "") == (code == 0)


@pytest.mark.parametrize("how", ["closed", "full", "gone"])
@pytest.mark.parametrize("arguments", [("--demo", "--config.check"), ("--version",), ("--help",)], ids=str)
def test_output_that_cannot_be_written(how: str, arguments: tuple[str, ...]) -> None:
    """Output to a full disk is an error in one line; a closed stdout or pipe is not an error."""
    done = _run(1, how, arguments)
    expected = (1, "cln-exporter: cannot write to stdout: No space left on device\n") if how == "full" else (0, "")
    assert (done.returncode, done.stderr) == expected


def _run(stream: int, how: str, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run the exporter with the descriptor ``stream`` closed, full, or a pipe without a reader."""
    name = {1: "stdout", 2: "stderr"}
    streams: dict[str, Any] = dict.fromkeys(name.values(), subprocess.PIPE)
    command = [str(CLN_EXPORTER), *arguments]
    if how == "closed":
        return subprocess.run(
            without({stream}, command), **streams, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False
        )
    with unwritable(how) as file:
        streams[name[stream]] = file
        return subprocess.run(command, **streams, stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE, check=False)
