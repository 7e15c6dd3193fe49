"""The exporter with standard streams that are closed, full, or read by nobody: it runs, and its exit code is true."""

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
    """An exporter over its demo whose log nobody can read."""

    def __init__(self, command: Sequence[str], port: int, stdout: IO[Any] | int, stderr: IO[Any] | int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)

    def is_healthy(self) -> bool:
        """Tell whether it serves; fail when it has ended."""
        assert self.process.poll() is None, f"it ended with {self.process.returncode}"
        try:
            return ask(f"{self.url}/-/healthy").status == 200
        except OSError:  # not yet
            return False

    def descriptors(self) -> list[str]:
        """Return what the descriptors 0, 1 and 2 are."""
        return [str(Path(f"/proc/{self.process.pid}/fd/{number}").readlink()) for number in range(3)]

    def lives_and_stops(self) -> None:
        """Assert that it serves, reloads and stops as ever."""
        wait_until(self.is_healthy, "the exporter to serve")
        assert not [each for each in self.descriptors() if each.startswith("socket:")]
        for number in (signal.SIGHUP, signal.SIGUSR1):  # each is a line of the log
            self.process.send_signal(number)
        wait_until(lambda: ask(f"{self.url}/-/ready").status == 200, "the exporter to be ready")
        assert "cln_kernelcare_key_servers{" in ask(f"{self.url}/metrics").text
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0


@pytest.fixture
def port() -> int:
    """A port for an exporter that cannot say which it has."""
    return free_port()


def _ended(quiet: _Quiet) -> None:
    try:
        quiet.lives_and_stops()
    finally:
        quiet.process.kill()
        quiet.process.wait()


@pytest.mark.parametrize("closed", [{0}, {1}, {2}, {0, 1, 2}], ids=str)
def test_it_runs_without_standard_streams(closed: set[int], port: int) -> None:
    """With any of them closed it serves, and no socket gets the number of one."""
    command = without(closed, [str(CLN_EXPORTER), "--demo", f"--web.listen-address=127.0.0.1:{port}"])
    _ended(_Quiet(command, port, subprocess.DEVNULL, subprocess.DEVNULL))


@pytest.mark.parametrize("how", ["full", "gone"])
def test_it_runs_where_its_output_cannot_be_written(how: str, port: int) -> None:
    """A full disk, or a log reader that has ended, stops no monitoring."""
    command = [str(CLN_EXPORTER), "--demo", f"--web.listen-address=127.0.0.1:{port}", "--log.level=debug"]
    with unwritable(how) as file:
        _ended(_Quiet(command, port, file, file))


@pytest.mark.parametrize("how", ["closed", "full", "gone"])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--config.file=/nowhere",), 1), (("--nonsense",), 1), (("--demo", "--config.check"), 0), (("--version",), 0)],
    ids=["no-configuration", "bad-flag", "check", "version"],
)
def test_the_exit_code_needs_no_stderr(how: str, arguments: tuple[str, ...], code: int) -> None:
    """Whoever reads the exit code alone learns the truth."""
    done = _run(2, how, arguments)
    assert done.returncode == code
    assert (done.stdout != "") == (code == 0)


@pytest.mark.parametrize("how", ["closed", "full", "gone"])
@pytest.mark.parametrize("arguments", [("--demo", "--config.check"), ("--version",), ("--help",)], ids=str)
def test_an_answer_that_cannot_be_written(how: str, arguments: tuple[str, ...]) -> None:
    """A full disk is an error in one line; where nobody is to read the answer there is nothing wrong."""
    done = _run(1, how, arguments)
    expected = (1, "cln-exporter: cannot write to stdout: No space left on device\n") if how == "full" else (0, "")
    assert (done.returncode, done.stderr) == expected


def _run(stream: int, how: str, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Return how the exporter ends with the descriptor ``stream`` closed, full, or read by nobody."""
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
