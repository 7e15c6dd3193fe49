"""A directory of state files for one process, with atomic writes: a crash leaves the old or the new file."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_LOCK = "cln-exporter.lock"
_STATE_FILE = re.compile(r"[a-z_]+-[0-9a-f]{32}\.state")
_TEMPORARY = re.compile(rf"\.{_STATE_FILE.pattern}\.tmp")
_ASIDE = re.compile(rf"({_STATE_FILE.pattern})\.format-(\d{{1,6}})")
_MAX_SIZE = 1 << 30  # bytes, about ten million servers


class StateError(Exception):
    """The state directory cannot be used; the text is the whole message."""


class AsideFile(NamedTuple):
    """A state file that was renamed from ``original`` to ``name``, because of its ``format_``."""

    name: str
    original: str
    format_: int


class StateDirectory:
    """The state files in the directory ``path``, which is created if it is missing, and locked.

    Raises StateError if the directory cannot be used, or another process uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.stat().st_mode & stat.S_IWOTH:
                advice = "use a directory of its own, with mode 0700"
                raise StateError(f"cannot save state in {path}: the directory is world-writable; {advice}")
            self._lock = _locked(self.path / _LOCK)
            with contextlib.ExitStack() as undo:
                undo.callback(os.close, self._lock)
                for name in self._names(_TEMPORARY):
                    (self.path / name).unlink()
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
                undo.callback(os.close, self._descriptor)
                self._check_writable()
                undo.pop_all()
        except OSError as error:
            raise StateError(f"cannot save state in {path}: {error.strerror}{_advice(error)}") from None

    def _check_writable(self) -> None:
        """Write a file, so that a missing permission is an error on startup and not an hour later.

        A full disk is no such error: the exporter can poll until there is space again.
        """
        name = f"try-{0:032x}.state"
        with _ignoring_full_disk():
            self.write(name, b"")
        self.remove(name)

    def close(self) -> None:
        """Unlock the directory."""
        os.close(self._descriptor)
        os.close(self._lock)

    def names(self) -> list[str]:
        """Return the names of the state files in the directory."""
        return self._names(_STATE_FILE)

    def _names(self, pattern: re.Pattern[str]) -> list[str]:
        return [name for name in os.listdir(self.path) if pattern.fullmatch(name)]  # noqa: PTH208 # names, not paths

    def aside(self) -> list[AsideFile]:
        """Return the files that :meth:`set_aside` has renamed, those in the newest format first."""
        found = [match for match in map(_ASIDE.fullmatch, self._names(_ASIDE)) if match is not None]
        files = [AsideFile(match[0], match[1], int(match[2])) for match in found]
        return sorted(files, key=lambda file: file.format_, reverse=True)

    def set_aside(self, name: str, format_: int) -> None:
        """Rename a file in a format that this version cannot read, so that it is not overwritten. Raises OSError."""
        (self.path / name).rename(self.path / f"{name}.format-{format_}")

    def bring_back(self, file: AsideFile) -> None:
        """Undo :meth:`set_aside`; a file that has the original name is replaced. Raises OSError."""
        (self.path / file.name).rename(self.path / file.original)

    def read(self, name: str, size: int = _MAX_SIZE) -> bytes | None:
        """Return the first ``size`` bytes of a file, by default all, or None if it does not exist. Raises OSError."""
        with contextlib.suppress(FileNotFoundError), _opened(self.path / name) as file:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            if state.st_size > _MAX_SIZE:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            with os.fdopen(file, "rb", closefd=False) as reading:
                return reading.read(size)
        return None

    def write(self, name: str, data: bytes) -> None:
        """Replace the content of the file by ``data``. Raises OSError, and then the file is unchanged.

        Until :meth:`sync` has returned, a crash of the machine may restore the old content.
        """
        temporary = self.path / f".{name}.tmp"
        temporary.unlink(missing_ok=True)
        try:
            with os.fdopen(
                os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb"
            ) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.path / name)
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Remove a file if it exists. Raises OSError."""
        (self.path / name).unlink(missing_ok=True)

    def sync(self) -> None:
        """Make all earlier writes durable, so that they survive a crash of the machine. Raises OSError."""
        os.fsync(self._descriptor)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    # Neither follow a symbolic link out of the directory nor block on a named pipe.
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        yield file
    finally:
        os.close(file)


def _locked(path: Path) -> int:
    """Return a descriptor of the lock file ``path`` that holds an exclusive lock until it is closed. Raises OSError."""
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.truncate(lock, 0)
        with _ignoring_full_disk():
            os.write(lock, f"{os.getpid()}\n".encode())
    except OSError:
        os.close(lock)
        raise
    return lock


@contextlib.contextmanager
def _ignoring_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise


def _advice(error: OSError) -> str:
    if error.errno == errno.EWOULDBLOCK:
        return "; another cln-exporter uses this directory, and each needs its own"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "; use a directory, or a path at which one can be created"
    if isinstance(error, PermissionError):
        return "; give the user that runs cln-exporter write access"
    return ""
