"""The runner of repeated tests under load: it is reproducible, and leaves no processes."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.running import PATIENCE, Program, wait_until

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
STEADY = [sys.executable, "-m", "tools.steady_tests", "--every", "2", "--pause", "0.1", "--load", "0"]
LONG = 5 * PATIENCE
"""Seconds for a tool that makes itself slow."""
PLAIN = ["-p", "no:cacheprovider", "--rootdir"]

ORDERED = """
import pathlib, pytest

@pytest.mark.parametrize("number", range(8))
def test_one(number):
    with pathlib.Path({directory!r}, "order").open("a") as file:
        file.write(f"{{number}} ")
"""
HANGING = """
import pathlib, subprocess, time

def test_it_hangs():
    # The shell ends, so that what sleeps has lost its parent.
    subprocess.run("sleep 1000 & echo $! > {directory}/sleeper", shell=True, start_new_session=True)
    time.sleep(1000)
"""


def write_test(directory: Path, text: str) -> Path:
    """Write a test module that has a directory to write to, and return its path."""
    file = directory / "test_it.py"
    file.write_text(text.format(directory=str(directory)))
    return file


def tree_of(process: int) -> list[int]:
    """Return a process and all its descendants."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [process, *(each for child in children for each in tree_of(int(child)))]


def is_there(process: int) -> bool:
    """Return whether a process exists."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_seed_repeats_an_order(tmp_path: Path) -> None:
    """All tests run in each run, in an order given by the printed seed."""
    file = write_test(tmp_path, ORDERED)

    def orders(*options: str) -> list[str]:
        (tmp_path / "order").unlink(missing_ok=True)
        command = [*STEADY, *options, "--", *PLAIN, str(tmp_path), "-n", "1", str(file)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        numbers = (tmp_path / "order").read_text().split()
        return [" ".join(numbers[at : at + 8]) for at in range(0, len(numbers), 8)]

    first, second = orders("--seed", "3", "--runs", "2")
    assert {*first.split()} == {*second.split()} == {*"01234567"}
    assert first != second
    assert orders("--seed", "4", "--runs", "1") == [second]


def test_a_failure_is_told(tmp_path: Path) -> None:
    """A failure is reported by the exit code and with the seed of the run."""
    file = write_test(tmp_path, "def test_it(): assert 0\n")
    command = [*STEADY, "--seed", "5", "--runs", "1", "--", *PLAIN, str(tmp_path), "-n", "0", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.returncode == 1
    assert re.search(r"^steady_tests: --seed 5 exited with 1 after \d+ s$", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("steady_tests: 0 of 1 runs passed\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_it_is_ended(how: signal.Signals, tmp_path: Path) -> None:
    """A terminated run leaves no process of pytest, the tests, or the busy loops."""
    file = write_test(tmp_path, HANGING)
    sleeper = tmp_path / "sleeper"
    command = [*STEADY, "--load", "1", "--runs", "1", "--", *PLAIN, str(tmp_path), "-n", "1", str(file)]
    program = Program(command, tmp_path / "log", {"PYTHONPATH": str(ROOT)})
    try:
        wait_until(lambda: sleeper.exists() and sleeper.read_text().strip(), "the test to run", LONG)
        started = {*tree_of(program.process.pid)[1:], int(sleeper.read_text())}
        assert len(started) >= 4  # pytest, its worker, the busy loop, what the test started
        program.process.send_signal(how)
        assert program.process.wait(LONG) == 128 + how
    finally:
        program.stop()
    assert [process for process in started if is_there(process)] == []


def test_nothing_is_left_when_the_time_is_over(tmp_path: Path) -> None:
    """A run that times out leaves no process, and has its own exit code."""
    file = write_test(tmp_path, HANGING)
    command = [*STEADY, "--limit", "3", "--runs", "1", "--", *PLAIN, str(tmp_path), "-n", "1", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False)
    assert done.returncode == 124
    assert done.stdout.endswith("steady_tests: timed out after 3 s (--limit)\n")
    commands = [each / "cmdline" for each in Path("/proc").iterdir() if each.name.isdigit()]
    assert not [each for each in commands if each.exists() and str(tmp_path).encode() in each.read_bytes()]
