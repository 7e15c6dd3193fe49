"""Writes lines to a descriptor from a thread of its own: whoever has something to say waits for no reader of it.

A pipe whose reader stands still is full after some lines, and stops whoever writes to it. The descriptor cannot be made
non-blocking, as that would hold for all processes that share it.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable

from cln_monitor.cln import ThreadError, Threads

_MOST = 1 << 20  # bytes that wait to be written


class LineWriter:
    """Writes to ``descriptor`` what :meth:`write` is given; what there is no room for is dropped, and counted.

    When all that waits is written again, a line says how many were dropped; ``notice`` makes it of that number. Where
    no thread can be started, lines are written by whoever has them.
    """

    def __init__(self, descriptor: int, most: int = _MOST) -> None:
        self.notice: Callable[[int], str] = "{} lines of output were dropped, as they could not be written\n".format
        self._descriptor = descriptor
        self._most = most
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._changed = threading.Condition()  # over a lock that the same thread may take again, as a destructor does
        self._is_dropping = False
        self._can_write = True
        self._is_closing = False
        self._unsaid = 0  # lines dropped since the last notice
        self._uncounted = 0
        self._count: Callable[[int], object] | None = None
        self._threads = Threads(1)
        try:
            self._threads.keep(1)
        except ThreadError:
            self._ended = None
        else:
            self._ended = self._threads.submit(self._write_on)

    def write(self, line: bytes) -> None:
        """Write ``line`` soon."""
        if self._ended is None:
            with self._changed:
                self._write(line)
            return
        with self._changed:
            if self._lines and self._size + len(line) > self._most:
                self._is_dropping = True  # until all is written, or a slow reader would get every other line
            if self._is_dropping:
                self._drop()
                return
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify_all()

    def count_dropped(self, count: Callable[[int], object]) -> None:
        """Call ``count`` with a number of lines whenever so many are dropped, and with those dropped so far."""
        with self._changed:
            self._count = count
            uncounted, self._uncounted = self._uncounted, 0
        if uncounted:
            count(uncounted)

    def close(self, seconds: float) -> None:
        """Return when all is written, after ``seconds`` at most, and write nothing more then."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            if self._ended is not None:
                self._changed.wait_for(lambda: not self._lines and not self._has_notice, seconds)
        self._threads.shutdown()

    @property
    def _has_notice(self) -> bool:
        return self._unsaid > 0 and (self._is_dropping or self._can_write)

    def _drop(self) -> None:
        self._unsaid += 1
        if self._count is None:
            self._uncounted += 1
        else:
            self._count(1)

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._has_notice or self._is_closing)
                if not self._lines and not self._has_notice:
                    return
                line, unsaid = (self._lines[0], 0) if self._lines else (b"", self._unsaid)
            if unsaid:
                self._say(unsaid)
                continue
            self._write(line)
            with self._changed:
                self._lines.popleft()
                self._size -= len(line)
                self._changed.notify_all()

    def _say(self, dropped: int) -> None:
        """Write that so many lines were dropped, and take others again."""
        self._write(self.notice(dropped).encode("utf-8", "backslashreplace"), is_notice=True)
        with self._changed:
            if self._can_write:
                self._unsaid -= dropped
            self._is_dropping = self._can_write and self._unsaid > 0
            self._changed.notify_all()

    def _write(self, line: bytes, *, is_notice: bool = False) -> None:
        self._can_write = True
        try:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BlockingIOError:  # another process that shares it has made it so
                    poll = select.poll()
                    poll.register(self._descriptor, select.POLLOUT)
                    poll.poll()
        except OSError:  # its reader has gone, or the disk is full
            self._can_write = False
            if not is_notice:
                with self._changed:
                    self._drop()


def unblocking(descriptor: int) -> int:
    """Return a descriptor that leads where ``descriptor`` does, and that refuses what it would have to wait for.

    It is ``descriptor`` itself where there is no other way to it, as to a socket, and where nothing waits: files.
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        with contextlib.suppress(OSError):
            # Opened anew: how a descriptor waits is shared by all that were made of it, in other processes too.
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return descriptor


class LineStream(io.TextIOBase):
    """A text stream such as ``sys.stderr`` whose lines are written by ``writer``."""

    def __init__(self, writer: LineWriter) -> None:
        self.writer = writer
        self._begun = ""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        """Return that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Write the lines of ``text`` that have an end; the rest waits for it."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                self.writer.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        return len(text)
