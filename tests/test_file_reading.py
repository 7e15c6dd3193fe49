"""Small files of every kind: pipes are cached, sizes and waits are limited."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cln_monitor import file_reading as files
from cln_monitor.file_reading import LARGEST_SECRET, pem_text, read_file

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@contextmanager
def piped(data: bytes) -> Iterator[Path]:
    """Yield the path of a pipe that ``data`` was written to, as for <(…)."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    try:
        yield Path(f"/dev/fd/{reading}")
    finally:
        os.close(reading)


def fifo(folder: Path) -> Path:
    """Return a new named pipe."""
    path = folder / "fifo"
    os.mkfifo(path, 0o600)
    return path


def test_a_regular_file(tmp_path: Path) -> None:
    """A regular file is read each time, up to the limit."""
    file = tmp_path / "file"
    for data in (b"", b"one", b"two", b"x" * LARGEST_SECRET):
        file.write_bytes(data)
        assert read_file(file, LARGEST_SECRET) == data
    file.write_bytes(b"x" * (LARGEST_SECRET + 1))
    with pytest.raises(ValueError, match=r"^is larger than 64 KiB$"):
        read_file(file, LARGEST_SECRET)


def test_a_pipe_is_read_once_and_kept() -> None:
    """The content of a pipe is returned to all callers, also at the same time."""
    with piped(b"s3cret\n") as path, ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read_file, [path] * 32)) == {b"s3cret\n"}
    with piped(b"another\n") as path:
        assert read_file(path) == b"another\n"


def test_an_empty_pipe() -> None:
    """An empty pipe gives no bytes."""
    with piped(b"") as path:
        assert read_file(path) == b""


def test_a_named_pipe(tmp_path: Path) -> None:
    """A named pipe is read while it has a writer, cached, and read again if it is replaced."""
    path = fifo(tmp_path)

    def write(text: str) -> None:
        with path.open("w") as pipe:
            for character in text:
                pipe.write(character)
                pipe.flush()
                time.sleep(0.02)  # it comes in pieces

    for text in ("first", "second"):
        writer = threading.Thread(target=write, args=(text,))
        writer.start()
        assert read_file(path) == text.encode()
        writer.join()
        assert read_file(path) == text.encode()
        path.unlink()
        os.mkfifo(path, 0o600)


def test_a_pipe_that_nobody_writes_to(tmp_path: Path) -> None:
    """A pipe without a writer is an error after a short wait."""
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"^is a pipe without a writer \(waited 1 s\)$"):
        read_file(fifo(tmp_path))
    assert time.monotonic() - started < 8


def test_a_pipe_with_the_number_of_one_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cached content of a removed pipe is not returned for a new one with its inode."""
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        os.mkfifo(path, 0o600)
    number = first.stat().st_ino
    numbered = Path.stat

    def with_one_number(path: Path) -> os.stat_result:
        values = list(numbered(path))
        values[1] = number
        return os.stat_result(values)

    monkeypatch.setattr(Path, "stat", with_one_number)
    reading = os.open(first, os.O_RDONLY | os.O_NONBLOCK)
    with first.open("wb") as writing:
        writing.write(b"s3cret\n")
    assert read_file(first) == b"s3cret\n"
    os.close(reading)
    with pytest.raises(ValueError, match="without a writer"):
        read_file(second)


def test_a_pipe_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that writes nothing, or does not close the pipe, is an error after a limit."""
    monkeypatch.setattr(files, "PATIENCE", 0.2)
    path = fifo(tmp_path)
    both = os.open(path, os.O_RDWR)
    try:
        for data in (b"", b"half"):
            os.write(both, data)
            with pytest.raises(ValueError, match=r"^is a pipe that its writer did not close within 0 s$"):
                read_file(path)
    finally:
        os.close(both)


@pytest.mark.processes
def test_a_pipe_that_drips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that never stops, a byte at a time, is an error after a limit."""
    monkeypatch.setattr(files, "PATIENCE", 0.5)
    path = fifo(tmp_path)
    writer = subprocess.Popen(
        ["bash", "-c", f"while sleep 0.05; do printf x; done > {path}"], stderr=subprocess.DEVNULL
    )
    try:
        with pytest.raises(ValueError, match=r"^is a pipe that its writer did not close within 0 s$"):
            read_file(path)
    finally:
        writer.kill()
        writer.wait()


def test_devices() -> None:
    """An endless device is an error at the size limit; an empty one gives no bytes."""
    with pytest.raises(ValueError, match=r"^is larger than 64 KiB$"):
        read_file(Path("/dev/zero"), LARGEST_SECRET)
    with pytest.raises(ValueError, match=r"^is larger than 16 MiB$"):
        read_file(Path("/dev/zero"))
    assert read_file(Path("/dev/null")) == b""


def test_a_terminal() -> None:
    """A terminal is an error at once."""
    leader, follower = pty.openpty()
    try:
        with pytest.raises(ValueError, match=r"^is a terminal; use a file or a pipe$"):
            read_file(Path(os.ttyname(follower)))
    finally:
        os.close(leader)
        os.close(follower)


def test_a_folder_and_nothing(tmp_path: Path) -> None:
    """A directory or a missing file is an error with the text of the system."""
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "missing")


@pytest.mark.processes
def test_process_substitution() -> None:
    """The pipe of <(…) can be read any number of times."""
    program = (
        "import sys, pathlib; from cln_monitor.file_reading import read_file; "
        "print([read_file(pathlib.Path(sys.argv[1])) for _ in range(3)])"
    )
    command = ["bash", "-c", f'"{sys.executable}" -c "$0" <(sleep 0.2; echo s3cret)', program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout.strip() == str([b"s3cret\n"] * 3)


@pytest.mark.parametrize(
    "data",
    [
        PEM.encode(),
        b"\xef\xbb\xbf" + PEM.encode(),
        PEM.encode("utf-16"),
        b"\xfe\xff" + PEM.encode("utf-16-be"),
    ],
    ids=["plain", "UTF-8", "UTF-16 LE", "UTF-16 BE"],
)
def test_pem(data: bytes) -> None:
    """A byte order mark at any position is removed from a PEM file."""
    assert pem_text(data) == PEM


def test_pem_of_several_files() -> None:
    """Byte order marks within a bundle are removed, and non-ASCII comments are accepted."""
    assert pem_text(f"# é\n\ufeff{PEM}\ufeff{PEM}".encode()) == f"# ?\n{PEM}{PEM}"
