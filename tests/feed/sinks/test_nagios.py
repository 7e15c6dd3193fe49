"""Results are written to the command file of Nagios, without waiting for a core that does not read it."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.feed.result import FeedResult
from cln_monitor.feed.sinks import Delivery, Outcome, nagios
from cln_monitor.feed.sinks.nagios import NagiosSink, Settings
from cln_monitor.probes import Duration
from tests.feed.sinks.external_command import parse
from tests.feed.sinks.results import NINE_KB, result

NOW = 1_764_000_000.0
DELIVERED = Outcome(Delivery.DELIVERED)
PATIENCE = 20.0


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Return a named pipe that no process reads."""
    path = tmp_path / "nagios.cmd"
    os.mkfifo(path)
    return path


class Core:
    """Reads a named pipe like a core; ``lines`` are those read so far."""

    def __init__(self, pipe: Path) -> None:
        self._file = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        self._data = b""

    def read(self) -> list[bytes]:
        """Return the lines that were written since the last call."""
        while True:
            try:
                piece = os.read(self._file, 1 << 16)
            except BlockingIOError:
                piece = b""
            if not piece:
                break
            self._data += piece
        *lines, self._data = self._data.split(b"\n")
        return [line + b"\n" for line in lines]

    def close(self) -> None:
        """Stop reading."""
        os.close(self._file)


@pytest.fixture
def core(pipe: Path) -> Iterator[Core]:
    """Yield the core that has opened the pipe."""
    core = Core(pipe)
    yield core
    core.close()


def sink(path: Path, timeout: float = PATIENCE) -> NagiosSink:
    """Return a sink for a command file."""
    return NagiosSink(Settings(command_file=str(path), timeout=Duration(timeout)))


def send(to: NagiosSink, *results: FeedResult) -> list[Outcome]:
    """Send results that are valid for three minutes."""
    return to.send(results, now=NOW, ttl=180.0)


def test_results_are_written(pipe: Path, core: Core) -> None:
    """Each result is a line, in order."""
    services = [f"service {number}" for number in range(50)]
    assert send(sink(pipe), *map(result, services)) == [DELIVERED] * 50
    assert [parse(line).service for line in core.read()] == services


def test_a_name_that_cannot_be_written(pipe: Path, core: Core) -> None:
    """A name with a semicolon is refused; it cannot change the state of another service."""
    outcomes = send(sink(pipe), result("a"), result("b;0;OK"), result("c"))
    assert [outcome.delivery for outcome in outcomes] == [Delivery.DELIVERED, Delivery.REFUSED, Delivery.DELIVERED]
    assert outcomes[1].reason.startswith("'acme!b;0;OK': a name in a command must not be empty")
    assert [parse(line).service for line in core.read()] == ["a", "c"]
    assert sink(pipe).check([result("b;0;OK")]) == [outcomes[1].reason]


def test_the_core_is_away(pipe: Path) -> None:
    """A pipe that no process reads is a failure at once, and nothing is written to it later."""
    reason = f"{pipe}: no process reads it: is the core running?"
    assert send(sink(pipe), result(), result("b")) == [Outcome(Delivery.FAILED, reason)] * 2
    assert sink(pipe).check([result()]) == [reason]
    core = Core(pipe)
    assert core.read() == []
    core.close()


def test_a_missing_pipe(tmp_path: Path) -> None:
    """A command file that is not there yet is a failure, and no file is made."""
    path = tmp_path / "nagios.cmd"
    reason = f"{path}: it does not exist: is the core running?"
    assert send(sink(path), result()) == [Outcome(Delivery.FAILED, reason)]
    assert sink(path).check([]) == [reason]
    assert not path.exists()
    assert list(Settings(command_file=str(path)).problems()) == []


@pytest.mark.parametrize("kind", ["file", "directory", "device"])
def test_no_named_pipe(tmp_path: Path, kind: str) -> None:
    """A command file that is no named pipe is refused in the configuration and for each result; it stays unchanged."""
    path = Path("/dev/null") if kind == "device" else tmp_path / "nagios.cmd"
    if kind == "file":
        path.write_text("mine")
    if kind == "directory":
        path.mkdir()
    problem = "is not a named pipe: use the core's setting command_file"
    assert list(Settings(command_file=str(path)).problems()) == [("command_file", problem)]
    assert send(sink(path), result()) == [Outcome(Delivery.REFUSED, f"{path}: {problem}")]
    assert sink(path).check([]) == [f"{path}: {problem}"]
    if kind == "file":
        assert path.read_text() == "mine"


def test_a_pipe_that_becomes_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has replaced the pipe since it was looked at is not written to."""
    path = tmp_path / "nagios.cmd"
    path.write_text("mine")
    monkeypatch.setattr(nagios, "_problem_of_type", lambda _: "")
    (outcome,) = send(sink(path), result())
    assert outcome == Outcome(Delivery.FAILED, f"{path}: it is not a named pipe any more")
    assert path.read_text() == "mine"


def test_no_permission(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe that cannot be opened for writing is a failure that says what to do."""

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    (outcome,) = send(sink(pipe), result())
    problem = "no permission to write to it: add the user of cln-feed to the group of the command file"
    assert outcome == Outcome(Delivery.FAILED, f"{pipe}: {problem}")


def test_a_wrong_directory(tmp_path: Path) -> None:
    """A command file in a directory that does not exist is a problem of the configuration."""
    settings = Settings(command_file=str(tmp_path / "none" / "nagios.cmd"))
    assert list(settings.problems()) == [("command_file", "its directory does not exist")]


def test_no_time(tmp_path: Path) -> None:
    """A timeout of 0, or one that is longer than a sink may take, is a problem of the configuration."""
    for seconds in (0, 61):
        problems = Settings(command_file=str(tmp_path / "none"), timeout=Duration(seconds)).problems()
        assert list(problems) == [("timeout", "expected more than 0s, and 60s at most")]


def test_a_full_pipe_is_a_failure(pipe: Path, core: Core) -> None:
    """If the core stops reading, complete lines are delivered until the pipe is full; the rest fails soon."""
    began = time.monotonic()
    outcomes = send(sink(pipe, timeout=0.2), *[result(output=NINE_KB)] * 100)
    took = time.monotonic() - began
    delivered = outcomes.count(DELIVERED)
    assert 0 < delivered < 100
    failed = Outcome(Delivery.FAILED, f"{pipe}: it is full: the core does not read it")
    assert outcomes == [DELIVERED] * delivered + [failed] * (100 - delivered)
    assert len([parse(line) for line in core.read()]) == delivered
    assert took < PATIENCE / 2


def test_more_than_the_pipe_holds(pipe: Path) -> None:
    """Results that need more room than a pipe has are delivered while the core reads."""
    lines: list[bytes] = []
    reading = Core(pipe)
    is_done = threading.Event()

    def read() -> None:
        while not is_done.wait(0.001):
            lines.extend(reading.read())
        lines.extend(reading.read())

    thread = threading.Thread(target=read)
    thread.start()
    services = [f"service {number}" for number in range(300)]
    outcomes = send(sink(pipe), *[result(service, NINE_KB) for service in services])
    is_done.set()
    thread.join()
    reading.close()
    assert outcomes == [DELIVERED] * 300
    assert [parse(line).service for line in lines] == services


def test_a_core_that_ends(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that ends while results are written is a failure of the rest."""
    ending = Core(pipe)
    write = nagios._write_block

    def write_then_end(*arguments: Any) -> None:
        write(*arguments)
        monkeypatch.setattr(nagios, "_write_block", write)
        ending.close()

    monkeypatch.setattr(nagios, "_write_block", write_then_end)
    outcomes = send(sink(pipe), *[result(output=NINE_KB)] * 3)
    failed = Outcome(Delivery.FAILED, f"{pipe}: the core has closed it")
    assert outcomes == [DELIVERED, failed, failed]
