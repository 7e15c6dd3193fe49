"""Lines are written by a thread of their own; what finds no room is dropped and counted, and whoever writes goes on."""

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

from cln_monitor.exporter.line_writer import LineStream, LineWriter, unblocking
from tests.helpers.running import CLN_EXPORTER, ask, free_port, wait_until

SIZE = 4096


class Reader:
    """The reading end of a small pipe. ``dropped`` are the numbers of lines that were counted as dropped."""

    def __init__(self) -> None:
        self.end, self.writing = os.pipe()
        fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, SIZE)
        self.dropped: list[int] = []

    def read(self) -> str:
        """Return what is in the pipe."""
        os.set_blocking(self.end, False)
        try:
            return os.read(self.end, 1 << 20).decode()
        except BlockingIOError:
            return ""

    def read_until(self, text: str) -> str:
        """Return what comes up to a ``text``."""
        read: list[str] = []

        def has_come() -> bool:
            read.append(self.read())
            return text in "".join(read)

        wait_until(has_come, text)
        return "".join(read)


@pytest.fixture
def reader() -> Iterator[Reader]:
    """A reader that reads when it is told to."""
    reader = Reader()
    yield reader
    os.close(reader.end)
    os.close(reader.writing)


@pytest.fixture
def writer(reader: Reader) -> Iterator[LineWriter]:
    """What writes to that reader; up to ten kilobytes wait."""
    writer = LineWriter(reader.writing, 10_000)
    writer.count_dropped(reader.dropped.append)
    yield writer
    reader.read()
    writer.close(5)


def test_lines_come_as_they_were_written(reader: Reader, writer: LineWriter) -> None:
    """In their order, and once."""
    stream = LineStream(writer)
    print("one", "tw\N{LATIN SMALL LETTER O WITH DIAERESIS}", file=stream)
    stream.write("three\nfo")
    stream.write("ur\n\udcff\n")
    stream.flush()
    assert reader.read_until("\\udcff\n") == "one twö\nthree\nfour\n\\udcff\n"
    assert reader.dropped == []


def test_a_reader_that_stands_still(reader: Reader, writer: LineWriter) -> None:
    """Whoever writes goes on; when the reader is back, the lines that waited come, then how many were dropped."""
    started = time.monotonic()
    for number in range(1000):
        writer.write(f"{number:099}\n".encode())
    assert time.monotonic() - started < 5
    dropped = sum(reader.dropped)
    assert 1000 - 150 < dropped < 1000 - 90
    text = reader.read_until("could not be written\n")
    *lines, last = text.splitlines()
    assert [int(line) for line in lines] == list(range(1000 - dropped))
    assert last == f"{dropped} lines of output were dropped, as they could not be written"
    writer.write(b"again\n")
    assert reader.read_until("again\n") == "again\n"


def test_a_close_waits_for_no_reader(reader: Reader, writer: LineWriter) -> None:
    """But for a while for what can be written."""
    writer.write(b"first\n")
    writer.close(5)
    assert reader.read() == "first\n"
    writer = LineWriter(reader.writing)
    for _ in range(100):
        writer.write(b"x" * 1000)
    started = time.monotonic()
    writer.close(0.1)
    assert time.monotonic() - started < 3


def test_a_reader_that_is_gone() -> None:
    """Its lines are counted, those from before anybody counted as well, and nothing raises."""
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


def test_a_disk_that_was_full(tmp_path: Path) -> None:
    """When it has room again, the log goes on and says what is missing of it."""
    full, good = os.open("/dev/full", os.O_WRONLY), os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    writer = LineWriter(full)
    writer.write(b"lost\n")
    wait_until(lambda: writer._uncounted, "the line to fail")
    os.dup2(good, full)
    writer.write(b"kept\n")
    writer.close(5)
    notice = "1 lines of output were dropped, as they could not be written\n"
    assert (tmp_path / "log").read_text() == f"kept\n{notice}"
    for each in (full, good):
        os.close(each)


def test_a_descriptor_that_another_process_made_non_blocking(reader: Reader, writer: LineWriter) -> None:
    """It is waited for, as if it were not."""
    os.set_blocking(reader.writing, False)
    for number in range(60):
        writer.write(f"{number:099}\n".encode())
    wait_until(lambda: len(reader.read()) < SIZE and not writer._lines, "all to be written")
    assert reader.dropped == []


def test_no_thread_can_be_started(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then lines are written by whoever has them."""

    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", fail)
    writer = LineWriter(reader.writing)
    writer.write(b"one\n")
    assert reader.read() == "one\n"
    writer.close(0)


def test_a_descriptor_for_crashes(reader: Reader, tmp_path: Path) -> None:
    """It leads to the same pipe and never waits, and the one that others share does; a file is its own."""
    descriptor = unblocking(reader.writing)
    written = os.write(descriptor, b"x" * 2 * SIZE)
    assert written == SIZE
    with pytest.raises(BlockingIOError):
        os.write(descriptor, b"x")
    assert os.get_blocking(reader.writing)
    os.close(descriptor)
    with (tmp_path / "log").open("w") as file:
        assert unblocking(file.fileno()) == file.fileno()


def config(folder: Path) -> Path:
    """Write the configuration of an exporter whose polls all fail, each with a line in the log, and return its path."""
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
def test_polls_go_on_while_nobody_reads_the_log(how: str, reader: Reader, tmp_path: Path) -> None:
    """The running program: polls, metrics and a stop wait for no reader; nor does a crash that says where it was."""
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
        assert value(metrics(), "cln_exporter_log_messages_dropped_total") == 0.0  # they wait
        started = time.monotonic()
        process.send_signal(signal.Signals[how])
        code = process.wait(15)
        assert time.monotonic() - started < 5
        assert code == (0 if how == "SIGTERM" else -signal.SIGABRT)
    finally:
        process.kill()
        process.wait()
