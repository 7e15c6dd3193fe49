"""A folder of files for one process: whenever it is killed, each is there whole, as it was or as it was to be."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

_LOCK = "cln-exporter.lock"
_OURS = re.compile(r"[a-z_]+-[0-9a-f]{32}\.state")
_BEGUN = re.compile(rf"\.{_OURS.pattern}\.tmp")
_LARGEST = 1 << 30  # bytes: ten million servers


class StateError(Exception):
    """A folder in which no state can be kept."""


class StateFolder:
    """The files of ``path``, which is made if need be. Raises StateError when it cannot be used, or another uses it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.stat().st_mode & stat.S_IWOTH:
                advice = "give it a folder of its own, and chmod 700 it"
                raise StateError(f"cannot keep state in {path}: all users of this machine can write there; {advice}")
            self._lock = _locked(self.path / _LOCK)
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, self._lock)
                for begun in self._names(_BEGUN):
                    (self.path / begun).unlink()
                self._folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
                undo.callback(os.close, self._folder)
                self._try_out()
                undo.pop_all()
        except OSError as error:
            raise StateError(f"cannot keep state in {path}: {error.strerror}{_advice(error)}") from None

    def _try_out(self) -> None:
        """Write a file: what cannot be written is told before anything runs, and not in an hour.

        A disk that is full will have room again, and costs no polls until then.
        """
        name = f"try-{0:032x}.state"
        with _room_or_not():
            self.write(name, b"")
        self.remove(name)

    def close(self) -> None:
        """Let others use the folder."""
        os.close(self._folder)
        os.close(self._lock)

    def names(self) -> list[str]:
        """Return the names of the files that an exporter has written here."""
        return self._names(_OURS)

    def _names(self, pattern: re.Pattern[str]) -> list[str]:
        return [name for name in os.listdir(self.path) if pattern.fullmatch(name)]  # noqa: PTH208 # names, not paths

    def read(self, name: str) -> bytes | None:
        """Return the bytes of a file, or None when it is not there. Raises OSError."""
        with contextlib.suppress(FileNotFoundError), _opened(self.path / name) as file:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "it is no file")
            if state.st_size > _LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            with os.fdopen(file, "rb", closefd=False) as reading:
                return reading.read(_LARGEST)
        return None

    def write(self, name: str, data: bytes) -> None:
        """Put ``data`` in the place of what the file holds. Raises OSError, and then the file is as it was.

        After a crash of the machine it may still be the old one until :meth:`settle` has returned.
        """
        begun = self.path / f".{name}.tmp"
        begun.unlink(missing_ok=True)
        try:
            with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            begun.rename(self.path / name)
        except OSError:
            with contextlib.suppress(OSError):
                begun.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Remove a file, if it is there. Raises OSError."""
        (self.path / name).unlink(missing_ok=True)

    def settle(self) -> None:
        """Return when a crash of the machine can undo no write that came before. Raises OSError."""
        os.fsync(self._folder)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    # Without following a link out of the folder, and without waiting for whoever writes to a pipe.
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield file
    finally:
        os.close(file)


def _locked(path: Path) -> int:
    """Return a descriptor that bars ``path`` to all others for as long as it is open, and this process lives."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(lock, 0)
        with _room_or_not():
            os.write(lock, f"{os.getpid()}\n".encode())
    except OSError:
        os.close(lock)
        raise
    return lock


@contextlib.contextmanager
def _room_or_not() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise


def _advice(error: OSError) -> str:
    if error.errno == errno.EWOULDBLOCK:
        return "; another cln-exporter keeps its state there, and each needs a folder of its own"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "; expected a folder, or the name of one to be made"
    if isinstance(error, PermissionError):
        return "; let the user who runs this write there"
    return ""
