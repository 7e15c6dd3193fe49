"""Tests of the writing of lines in a background thread, which drops and counts lines instead of blocking."""

from __future__ import annotations

import _thread
import fcntl
import json
import os
import resource
import signal
import subprocess
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.exporter.line_writer import LineStream, LineWriter, non_blocking
from tests.helpers.running import CLN_EXPORTER, ask, free_port, wait_until

SIZE = 4096


class Reader:
    """The reading end of a small pipe. ``dropped`` has the counts of dropped lines."""

    def __init__(self) -> None:
        self.end, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, SIZE)
        self.dropped: list[int] = []

    def read(self) -> str:
        """Return the content of the pipe."""
        os.set_blocking(self.end, False)
        try:
            return os.read(self.end, 1 << 20).decode()
        except BlockingIOError:
            return ""

    def read_until(self, text: str) -> str:
        """Read until ``text`` is in the output, and return the output."""
        read: list[str] = []

        def has_come() -> bool:
            read.append(self.read())
            return text in "".join(read)

        wait_until(has_come, text)
        return "".join(read)


@pytest.fixture
def reader() -> Iterator[Reader]:
    """A reader that reads only when the test calls it."""
    reader = Reader()
    yield reader
    os.close(reader.end)
    os.close(reader.writing)


@pytest.fixture
def writer(reader: Reader) -> Iterator[LineWriter]:
    """A writer to that reader with a queue of 10 kB."""
    writer = LineWriter(reader.writing, 10_000)
    writer.count_dropped(reader.dropped.append)
    yield writer
    reader.read()
    writer.close(5)


def test_lines_are_written_in_order(reader: Reader, writer: LineWriter) -> None:
    """Lines are written once and in order."""
    stream = LineStream(writer)
    print("one", "tw\N{LATIN SMALL LETTER O WITH DIAERESIS}", file=stream)
    stream.write("three\nfo")
    stream.write("ur\n\udcff\n")
    stream.flush()
    assert reader.read_until("\\udcff\n") == "one twö\nthree\nfour\n\\udcff\n"
    assert reader.dropped == []


def test_a_reader_that_is_stuck(reader: Reader, writer: LineWriter) -> None:
    """A stuck reader does not block the writer, and later reads the queued lines and the number dropped."""
    started = time.monotonic()
    for number in range(1000):
        writer.write(f"{number:099}\n".encode())
    assert time.monotonic() - started < 5
    dropped = sum(reader.dropped)
    assert 1000 - 150 < dropped < 1000 - 90
    text = reader.read_until("could not be written\n")
    *lines, last = text.splitlines()
    assert [int(line) for line in lines] == list(range(1000 - dropped))
    assert last == f"{dropped} lines of output were dropped because they could not be written"
    writer.write(b"again\n")
    assert reader.read_until("again\n") == "again\n"


def test_close_does_not_wait_for_a_stuck_reader(reader: Reader, writer: LineWriter) -> None:
    """Closing writes the queued lines, but waits for a stuck reader only until the timeout."""
    writer.write(b"first\n")
    writer.close(5)
    assert reader.read() == "first\n"
    writer = LineWriter(reader.writing)
    for _ in range(100):
        writer.write(b"x" * 1000)
    started = time.monotonic()
    writer.close(0.1)
    assert time.monotonic() - started < 3


def test_a_closed_pipe() -> None:
    """Lines to a closed pipe are counted without an exception, including those dropped before counting began."""
    end, writing = os.pipe()
    os.close(end)
    writer, dropped = LineWriter(writing), list[int]()
    writer.write(b"one\n")
    wait_until(lambda: writer._uncounted, "the line to fail")
    writer.count_dropped(dropped.append)
    writer.write(b"two\n")
    wait_until(lambda: dropped == [1, 1], "both lines to be counted")
    writer.close(0)
    os.close(writing)


def test_a_full_disk(tmp_path: Path) -> None:
    """Once a full disk has space again, lines are written, followed by the number dropped."""
    full, good = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(full)
    writer.write(b"lost\n")
    wait_until(lambda: writer._uncounted, "the line to fail")
    os.dup2(good, full)
    writer.write(b"kept\n")
    writer.close(5)
    notice = "1 lines of output were dropped because they could not be written\n"
    assert (tmp_path / "log").read_text() == f"kept\n{notice}"
    for descriptor in (full, good):
        os.close(descriptor)


def test_a_descriptor_that_another_process_made_non_blocking(reader: Reader, writer: LineWriter) -> None:
    """A descriptor that another process made non-blocking is written to without losing lines."""
    os.set_blocking(reader.writing, False)
    for number in range(60):
        writer.write(f"{number:099}\n".encode())
    wait_until(lambda: len(reader.read()) < SIZE and not writer._lines, "all to be written")
    assert reader.dropped == []


def test_no_thread_can_be_started(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no thread can be started, the caller writes the lines."""

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    writer = LineWriter(reader.writing)
    writer.write(b"one\n")
    assert reader.read() == "one\n"
    writer.close(0)


def test_non_blocking_descriptor(reader: Reader, tmp_path: Path) -> None:
    """The descriptor of a pipe is a new, non-blocking one; the original stays blocking. That of a file is unchanged."""
    descriptor = non_blocking(reader.writing)
    written = os.write(descriptor, b"x" * 2 * SIZE)
    assert written == SIZE
    with pytest.raises(BlockingIOError):
        os.write(descriptor, b"x")
    assert os.get_blocking(reader.writing)
    os.close(descriptor)
    with (tmp_path / "log").open("w") as file:
        assert non_blocking(file.fileno()) == file.fileno()


def config(folder: Path) -> Path:
    """Write and return the path of a configuration whose polls all fail, each with a log line."""
    off = {name: {"enabled": False} for name in ("imunify", "patch_status", "ip_licenses", "els", "groups", "awp")}
    file = folder / "cln-monitor.yml"
    probes = {**off, "status": {"interval": "1s"}, "kernelcare": {"interval": "1s"}}
    account = {"name": "acme", "login": "acme_login", "secret_key": "x" * 20}
    api_url = f"http://127.0.0.1:{free_port()}/api"
    file.write_text(json.dumps({"api_url": api_url, "probes": probes, "accounts": [account]}))
    return file


def value(metrics: str, name: str) -> float:
    """Return the value of a metric without labels."""
    return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(f"{name} "))


@pytest.mark.processes
@pytest.mark.parametrize("how", ["SIGTERM", "SIGABRT"])
def test_polls_continue_while_the_log_is_not_read(how: str, reader: Reader, tmp_path: Path) -> None:
    """Polls, metrics, a stop and a crash with a stack dump do not wait for a reader of the log."""
    os.write(reader.writing, b"x" * (SIZE - 100))
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [CLN_EXPORTER, f"--web.listen-address={address}", f"--config.file={config(tmp_path)}", "--log.level=debug"],
        stdout=reader.writing,
        stderr=reader.writing,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)),  # noqa: PLW1509 # no other thread is here
    )

    def metrics() -> str:
        try:
            return ask(f"http://{address}/metrics").text
        except (urllib.error.URLError, ConnectionError):
            return ""

    def failures() -> float:
        return sum(float(line.split()[1]) for line in metrics().splitlines() if "cln_probe_failures_total{" in line)

    try:
        wait_until(metrics, "the exporter to answer", 60)
        before = failures()
        wait_until(lambda: failures() >= before + 6, "polls to go on", 60)
        assert value(metrics(), "cln_exporter_log_messages_dropped_total") == 0.0  # they are queued
        started = time.monotonic()
        process.send_signal(signal.Signals[how])
        code = process.wait(15)
        assert time.monotonic() - started < 5
        assert code == (0 if how == "SIGTERM" else -signal.SIGABRT)
    finally:
        process.kill()
        process.wait()
