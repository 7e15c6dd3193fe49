"""Tests of the state directory: atomic writes, one exporter at a time, and no access for other users."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cln_monitor.exporter.storage.directory import StateDirectory, StateError

NAME = f"kernelcare-{7:032x}.state"
OTHER = f"ip_licenses-{8:032x}.state"
TEMPORARY = f".{NAME}.tmp"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a directory that does not exist yet."""
    return tmp_path / "lib" / "cln-exporter"


@pytest.fixture
def directory(path: Path) -> Iterator[StateDirectory]:
    """An open state directory."""
    directory = StateDirectory(path)
    yield directory
    directory.close()


def mode(path: Path) -> str:
    """Return the permissions in octal."""
    return oct(path.stat().st_mode & 0o777)


def refused(path: Path) -> str:
    """Return the error for a state directory ``path`` that cannot be used."""
    with pytest.raises(StateError) as caught:
        StateDirectory(path)
    return str(caught.value)


def test_a_written_file_can_be_read(directory: StateDirectory) -> None:
    """Reading a file returns its last written content."""
    assert directory.names() == []
    assert directory.read(NAME) is None
    directory.write(NAME, b"one")
    directory.write(NAME, b"two" * 1_000_000)
    directory.write(OTHER, b"")
    directory.sync()
    assert directory.read(NAME) == b"two" * 1_000_000
    assert directory.read(OTHER) == b""
    assert sorted(directory.names()) == [OTHER, NAME]
    directory.remove(NAME)
    directory.remove(NAME)
    assert directory.names() == [OTHER]


def test_a_file_set_aside_and_brought_back(directory: StateDirectory) -> None:
    """A file that is set aside is not a state file until it is brought back, and then has the same content."""
    directory.write(NAME, b"newer")
    directory.set_aside(NAME, 12)
    assert directory.names() == []
    (file,) = directory.aside()
    assert (file.original, file.format_) == (NAME, 12)
    assert directory.read(file.name, 3) == b"new"
    directory.write(NAME, b"replaced")
    directory.bring_back(file)
    assert (directory.names(), directory.aside()) == ([NAME], [])
    assert directory.read(NAME) == b"newer"


def test_files_set_aside_in_several_formats(directory: StateDirectory) -> None:
    """Each format has a file of its own; the newest format is the first."""
    for format_ in (9, 10):
        directory.write(NAME, b"x")
        directory.set_aside(NAME, format_)
    assert [file.format_ for file in directory.aside()] == [10, 9]


def test_permissions(directory: StateDirectory) -> None:
    """Only the owner can access the directory and its files, even with a umask of 0."""
    before = os.umask(0)
    try:
        directory.write(NAME, b"one")
    finally:
        os.umask(before)
    assert mode(directory.path) == "0o700"
    assert {file.name: mode(file) for file in directory.path.iterdir()} == {NAME: "0o600", "cln-exporter.lock": "0o600"}


def test_an_existing_directory(path: Path) -> None:
    """An existing directory keeps its mode, and foreign files in it keep their content."""
    path.mkdir(parents=True)
    path.chmod(0o750)
    (path / "logrotate.state").write_text("not ours")
    (path / ".notes.tmp").write_text("not ours")
    directory = StateDirectory(path)
    assert directory.names() == []
    directory.close()
    assert mode(path) == "0o750"
    assert (path / "logrotate.state").read_text() == (path / ".notes.tmp").read_text() == "not ours"


def test_temporary_files_are_removed(path: Path) -> None:
    """Opening the directory removes the temporary files of a killed exporter; a failure to do so unlocks it."""
    path.mkdir(parents=True)
    (path / TEMPORARY).write_bytes(b"half")
    StateDirectory(path).close()
    assert not (path / TEMPORARY).exists()
    (path / TEMPORARY).mkdir()
    assert refused(path).startswith(f"cannot save state in {path}: ")
    (path / TEMPORARY).rmdir()
    StateDirectory(path).close()


def test_a_second_exporter_is_refused(directory: StateDirectory, path: Path) -> None:
    """A second exporter cannot open the directory, and does not change its files."""
    directory.write(NAME, b"one")
    assert refused(path) == (
        f"cannot save state in {path}: Resource temporarily unavailable; "
        "another cln-exporter uses this directory, and each needs its own"
    )
    assert directory.read(NAME) == b"one"


@pytest.mark.processes
def test_a_killed_exporter_holds_no_lock(path: Path) -> None:
    """A directory can be opened again after its exporter was killed."""
    code = "import sys, os, pathlib; from cln_monitor.exporter.storage.directory import *; "
    code += "StateDirectory(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-P", "-c", code, str(path)], check=False).returncode == -9
    assert (path / "cln-exporter.lock").exists()
    StateDirectory(path).close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_text(""), "File exists; use a directory, or a path at which one can be created"),
        (
            lambda path: path.symlink_to("nowhere"),
            "File exists; use a directory, or a path at which one can be created",
        ),
        (
            lambda path: (path.mkdir(), (path / "cln-exporter.lock").symlink_to("/etc/passwd")),
            "Too many levels of symbolic links",
        ),
    ],
    ids=["file", "dangling-link", "lock-is-a-link"],
)
def test_an_unusable_path(make: Callable[[Path], object], why: str, tmp_path: Path) -> None:
    """A path that cannot be a state directory is one line with the reason and what to use."""
    path = tmp_path / "state"
    make(path)
    assert refused(path) == f"cannot save state in {path}: {why}"


def test_below_a_file(tmp_path: Path) -> None:
    """A directory that cannot be created below a file is one line with the reason and what to use."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "state"
    advice = "use a directory, or a path at which one can be created"
    assert refused(path) == f"cannot save state in {path}: Not a directory; {advice}"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EACCES, "Permission denied; give the user that runs cln-exporter write access"),
        (errno.EROFS, "Read-only file system"),
    ],
)
def test_a_directory_that_is_not_writable(number: int, why: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory without write access is an error on startup that leaves no files and no lock."""

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    assert refused(path) == f"cannot save state in {path}: {why}"
    assert [file.name for file in path.iterdir()] == ["cln-exporter.lock"]
    monkeypatch.undo()
    StateDirectory(path).close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full(number: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk does not prevent the start; writes fail until there is space again."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        full.setattr(os, "write", fail)
        directory = StateDirectory(path)
        with pytest.raises(OSError, match=os.strerror(number)):
            directory.write(NAME, b"one")
    directory.write(NAME, b"one")
    assert directory.read(NAME) == b"one"
    directory.close()


def test_a_world_writable_directory(path: Path) -> None:
    """A world-writable directory is refused; a group-writable one is accepted."""
    path.mkdir(parents=True)
    path.chmod(0o1777)
    advice = "use a directory of its own, with mode 0700"
    assert refused(path) == f"cannot save state in {path}: the directory is world-writable; {advice}"
    path.chmod(0o775)
    StateDirectory(path).close()


def test_a_failed_write_changes_nothing(directory: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failed write the file is unchanged, no temporary file is left, and the next write succeeds."""
    directory.write(NAME, b"one")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        directory.write(NAME, b"two")
    monkeypatch.undo()
    assert directory.read(NAME) == b"one"
    assert not (directory.path / TEMPORARY).exists()
    directory.write(NAME, b"two")
    assert directory.read(NAME) == b"two"


@pytest.mark.parametrize("there", ["directory", "link", "pipe", "huge"])
def test_a_file_that_is_not_a_state_file(there: str, directory: StateDirectory, tmp_path: Path) -> None:
    """A directory, a symbolic link, a named pipe or a huge file is not read, and a write replaces it if possible."""
    place = directory.path / NAME
    if there == "directory":
        place.mkdir()
    elif there == "link":
        (tmp_path / "elsewhere").write_text("planted")
        place.symlink_to(tmp_path / "elsewhere")
    elif there == "pipe":
        os.mkfifo(place)
    else:
        with place.open("wb") as file:
            file.truncate((1 << 30) + 1)
    with pytest.raises(OSError, match=r"not a regular file|symbolic links|too large"):
        directory.read(NAME)
    if there != "directory":
        directory.write(NAME, b"one")
        assert directory.read(NAME) == b"one"


_KILLED = """
import os, pathlib, random, signal, sys, time
from cln_monitor.exporter.storage.directory import StateDirectory
path, name, kills = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
half_done = done = 0
# A busy machine may give a child no time to begin to write: then it takes more of them.
while done < kills or (half_done <= 20 and done < 20 * kills):
    done += 1
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        directory = StateDirectory(path)
        os.write(theirs, b"x")
        number = 0
        while True:
            number += 1
            directory.write(name, number.to_bytes(4) * random.randrange(1, 1 << 18))
            directory.sync()
    os.close(theirs)
    os.read(ours, 1)  # returns at once if the child has failed
    os.close(ours)
    time.sleep(random.uniform(0, 0.006))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it could not begin"
    half_done += (path / f".{name}.tmp").exists()
    directory = StateDirectory(path)
    data = directory.read(name) or b""
    assert data == data[:4] * (len(data) // 4), "a mixture"
    assert {file.name for file in path.iterdir()} <= {name, "cln-exporter.lock"}, "something is left"
    directory.close()
print(half_done)
"""


@pytest.mark.processes
def test_kills_at_any_time(path: Path) -> None:
    """After each of 200 kills at random times the file is complete, and the directory can be opened again."""
    command = [sys.executable, "-P", "-c", _KILLED, str(path), NAME, "200"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 20  # so many kills did hit a write
