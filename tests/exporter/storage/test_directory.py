"""The folder of the state: whole files whatever happens, for one exporter at a time, for nobody else to read."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cln_monitor.exporter.storage.directory import StateError, StateFolder

NAME = f"kernelcare-{7:032x}.state"
OTHER = f"ip_licenses-{8:032x}.state"
BEGUN = f".{NAME}.tmp"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the folder is to be."""
    return tmp_path / "lib" / "cln-exporter"


@pytest.fixture
def folder(path: Path) -> Iterator[StateFolder]:
    """A folder in use."""
    folder = StateFolder(path)
    yield folder
    folder.close()


def mode(path: Path) -> str:
    """Return who may do what."""
    return oct(path.stat().st_mode & 0o777)


def refused(path: Path) -> str:
    """Return why ``path`` cannot be used."""
    with pytest.raises(StateError) as caught:
        StateFolder(path)
    return str(caught.value)


def test_what_is_written_is_read(folder: StateFolder) -> None:
    """The last of it, by name."""
    assert folder.names() == []
    assert folder.read(NAME) is None
    folder.write(NAME, b"one")
    folder.write(NAME, b"two" * 1_000_000)
    folder.write(OTHER, b"")
    folder.settle()
    assert folder.read(NAME) == b"two" * 1_000_000
    assert folder.read(OTHER) == b""
    assert sorted(folder.names()) == [OTHER, NAME]
    folder.remove(NAME)
    folder.remove(NAME)
    assert folder.names() == [OTHER]


def test_nobody_else_reads_it(folder: StateFolder) -> None:
    """Neither the folder nor a file, whatever the umask allows."""
    before = os.umask(0)
    try:
        folder.write(NAME, b"one")
    finally:
        os.umask(before)
    assert mode(folder.path) == "0o700"
    assert {each.name: mode(each) for each in folder.path.iterdir()} == {NAME: "0o600", "cln-exporter.lock": "0o600"}


def test_a_folder_that_is_there_stays_as_it_is(path: Path) -> None:
    """What systemd or the operator made keeps its mode, and files that are not ours their content."""
    path.mkdir(parents=True)
    path.chmod(0o750)
    (path / "logrotate.state").write_text("not ours")
    (path / ".notes.tmp").write_text("not ours")
    folder = StateFolder(path)
    assert folder.names() == []
    folder.close()
    assert mode(path) == "0o750"
    assert (path / "logrotate.state").read_text() == (path / ".notes.tmp").read_text() == "not ours"


def test_what_was_begun_is_removed(path: Path) -> None:
    """A start finds what a kill -9 left, and a start that fails leaves the folder to others."""
    path.mkdir(parents=True)
    (path / BEGUN).write_bytes(b"half")
    StateFolder(path).close()
    assert not (path / BEGUN).exists()
    (path / BEGUN).mkdir()
    assert refused(path).startswith(f"cannot keep state in {path}: ")
    (path / BEGUN).rmdir()
    StateFolder(path).close()


def test_two_at_a_time(folder: StateFolder, path: Path) -> None:
    """The second is refused in words, until the first has closed it; its files are untouched."""
    folder.write(NAME, b"one")
    assert refused(path) == (
        f"cannot keep state in {path}: Resource temporarily unavailable; "
        "another cln-exporter keeps its state there, and each needs a folder of its own"
    )
    assert folder.read(NAME) == b"one"


@pytest.mark.processes
def test_a_killed_one_holds_nothing(path: Path) -> None:
    """The lock is the process's, not the file's."""
    code = "import sys, os, pathlib; from cln_monitor.exporter.storage.directory import *; "
    code += "StateFolder(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-P", "-c", code, str(path)], check=False).returncode == -9
    assert (path / "cln-exporter.lock").exists()
    StateFolder(path).close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.write_text(""), "File exists; expected a folder, or the name of one to be made"),
        (lambda path: path.symlink_to("nowhere"), "File exists; expected a folder, or the name of one to be made"),
        (
            lambda path: (path.mkdir(), (path / "cln-exporter.lock").symlink_to("/etc/passwd")),
            "Too many levels of symbolic links",
        ),
    ],
    ids=["file", "dangling-link", "lock-is-a-link"],
)
def test_no_folder(make: Callable[[Path], object], why: str, tmp_path: Path) -> None:
    """One line that says what would be right."""
    path = tmp_path / "state"
    make(path)
    assert refused(path) == f"cannot keep state in {path}: {why}"


def test_below_a_file(tmp_path: Path) -> None:
    """So does a folder that cannot be made."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "state"
    advice = "expected a folder, or the name of one to be made"
    assert refused(path) == f"cannot keep state in {path}: Not a directory; {advice}"


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.EACCES, "Permission denied; let the user who runs this write there"),
        (errno.EROFS, "Read-only file system"),
    ],
)
def test_nothing_can_be_written(number: int, why: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told at the start, and not in an hour; nothing stays behind, and the folder is free."""

    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    assert refused(path) == f"cannot keep state in {path}: {why}"
    assert [each.name for each in path.iterdir()] == ["cln-exporter.lock"]
    monkeypatch.undo()
    StateFolder(path).close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full(number: int, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is no reason not to start: it will have room again, and who writes until then is told."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        full.setattr(os, "write", fail)
        folder = StateFolder(path)
        with pytest.raises(OSError, match=os.strerror(number)):
            folder.write(NAME, b"one")
    folder.write(NAME, b"one")
    assert folder.read(NAME) == b"one"
    folder.close()


def test_a_folder_that_all_users_can_write_to(path: Path) -> None:
    """Could hold what somebody made up; one that a group can write to is for its owner to judge."""
    path.mkdir(parents=True)
    path.chmod(0o1777)
    advice = "give it a folder of its own, and chmod 700 it"
    assert refused(path) == f"cannot keep state in {path}: all users of this machine can write there; {advice}"
    path.chmod(0o775)
    StateFolder(path).close()


def test_a_write_that_fails_changes_nothing(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is as it was, nothing is left of the attempt, and the next one succeeds."""
    folder.write(NAME, b"one")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        folder.write(NAME, b"two")
    monkeypatch.undo()
    assert folder.read(NAME) == b"one"
    assert not (folder.path / BEGUN).exists()
    folder.write(NAME, b"two")
    assert folder.read(NAME) == b"two"


@pytest.mark.parametrize("there", ["folder", "link", "pipe", "huge"])
def test_what_is_no_file_of_ours_is_not_read(there: str, folder: StateFolder, tmp_path: Path) -> None:
    """A folder, a link out of the folder, a pipe that nobody writes to, more than any account has."""
    place = folder.path / NAME
    if there == "folder":
        place.mkdir()
    elif there == "link":
        (tmp_path / "elsewhere").write_text("planted")
        place.symlink_to(tmp_path / "elsewhere")
    elif there == "pipe":
        os.mkfifo(place)
    else:
        with place.open("wb") as file:
            file.truncate((1 << 30) + 1)
    with pytest.raises(OSError, match=r"it is no file|symbolic links|too large"):
        folder.read(NAME)
    if there != "folder":
        folder.write(NAME, b"one")
        assert folder.read(NAME) == b"one"


_KILLED = """
import os, pathlib, random, signal, sys, time
from cln_monitor.exporter.storage.directory import StateFolder
path, name, kills = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
half_done = done = 0
# A busy machine may give a child no time to begin to write: then it takes more of them.
while done < kills or (half_done <= 20 and done < 20 * kills):
    done += 1
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        folder = StateFolder(path)
        os.write(theirs, b"x")
        number = 0
        while True:
            number += 1
            folder.write(name, number.to_bytes(4) * random.randrange(1, 1 << 18))
            folder.settle()
    os.close(theirs)
    os.read(ours, 1)  # nothing is read when it could not begin, and then it ends by itself
    os.close(ours)
    time.sleep(random.uniform(0, 0.006))
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it could not begin"
    half_done += (path / f".{name}.tmp").exists()
    folder = StateFolder(path)
    data = folder.read(name) or b""
    assert data == data[:4] * (len(data) // 4), "a mixture"
    assert {each.name for each in path.iterdir()} <= {name, "cln-exporter.lock"}, "something is left"
    folder.close()
print(half_done)
"""


@pytest.mark.processes
def test_killed_two_hundred_times(path: Path) -> None:
    """At any moment, also in the middle of a write: the file is whole each time, and the next start is as any."""
    command = [sys.executable, "-P", "-c", _KILLED, str(path), NAME, "200"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 20  # so many kills did hit a write
