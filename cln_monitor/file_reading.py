"""Read small files completely: up to a size limit, and without waiting for a writer that never comes.

A file that is not regular, such as the pipe of ``<(pass show cln)``, can be read only once: its bytes are cached.
"""

from __future__ import annotations

import codecs
import os
import select
import stat
import threading
import time
from pathlib import Path

LARGEST_SECRET = 64 << 10
"""Maximum size in bytes of a file with one secret."""
LARGEST_FILE = 16 << 20
"""Maximum size in bytes of other files: lists of keys, certificates."""

PATIENCE = 10.0
"""Seconds within which a pipe must be read to its end."""
_PATIENCE_WITHOUT_WRITER = 1.0
_LOOK_AGAIN = 0.1

_Stamp = tuple[int, int, int]
_kept: dict[tuple[Path, int, int], tuple[_Stamp, bytes]] = {}
_lock = threading.Lock()


def read_file(path: Path, largest: int = LARGEST_FILE) -> bytes:
    """Return the bytes of the file at ``path``, at most ``largest``. Thread-safe.

    A file that is not regular is read once, within ``PATIENCE``, and its bytes are returned from then on. Raises
    OSError, and ValueError for a file that is too large, a terminal, or a pipe that stays empty; the text of the
    ValueError begins with a verb whose subject is the file.
    """
    state = path.stat()
    if stat.S_ISREG(state.st_mode):
        return _read(path, largest)
    with _lock:
        identity = (path, state.st_dev, state.st_ino)
        stamp, data = _kept.get(identity, (None, b""))
        if stamp == _stamp_of(state):
            return data
        try:
            data = _read(path, largest) or data
        except (OSError, ValueError):
            if not data:
                raise
        if data:
            _kept[identity] = (_stamp_of(path.stat()), data)
        return data


def _stamp_of(state: os.stat_result) -> _Stamp:
    """Return a stamp that changes when a pipe is replaced, or written to again."""
    return state.st_rdev, state.st_mtime_ns, state.st_ctime_ns


def _read(path: Path, largest: int) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        if os.isatty(descriptor):
            raise ValueError("is a terminal; use a file or a pipe")
        return _read_to_the_end(descriptor, largest)
    finally:
        os.close(descriptor)


def _read_to_the_end(descriptor: int, largest: int) -> bytes:
    started, ready = time.monotonic(), select.poll()
    ready.register(descriptor, select.POLLIN)
    data, has_begun = b"", stat.S_ISREG(os.fstat(descriptor).st_mode)
    while len(data) <= largest:
        try:
            piece = os.read(descriptor, largest + 1 - len(data))
        except BlockingIOError:  # a writer has opened the pipe
            has_begun = True
        else:
            if has_begun and not piece:
                return data
            data += piece
            has_begun = has_begun or bool(piece)
        waited = time.monotonic() - started
        if has_begun and waited > PATIENCE:
            raise ValueError(f"is a pipe that its writer did not close within {PATIENCE:.0f} s")
        if not has_begun and waited > _PATIENCE_WITHOUT_WRITER:
            raise ValueError(f"is a pipe without a writer (waited {_PATIENCE_WITHOUT_WRITER:.0f} s)")
        has_begun = bool(ready.poll(_LOOK_AGAIN * 1000)) or has_begun
    size = f"{largest >> 20} MiB" if largest >= 1 << 20 else f"{largest >> 10} KiB"
    raise ValueError(f"is larger than {size}")


def pem_text(data: bytes) -> str:
    """Return the text of a PEM file in ASCII, without the byte order marks that some editors add."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if is_utf16 else "utf-8", "replace").replace("\ufeff", "")
    return text.encode("ascii", "replace").decode()
