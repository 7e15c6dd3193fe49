"""Writes lines to a file descriptor from a background thread, so that a slow reader never blocks the caller.

A pipe whose reader is stuck fills up after some lines and blocks every writer. The descriptor itself cannot be made
non-blocking, because the flag is shared with all processes that use the same open file.
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

_MAX_QUEUED = 1 << 20  # bytes


class LineWriter:
    """Queues lines of bytes and writes them to ``descriptor``; drops and counts lines that exceed ``max_queued`` bytes.

    Once the queue is empty again, one line reports how many were dropped; ``notice`` formats it from that number. If
    no thread can be started, the caller's thread writes the lines.
    """

    def __init__(self, descriptor: int, max_queued: int = _MAX_QUEUED) -> None:
        self.notice: Callable[[int], str] = "{} lines of output were dropped because they could not be written\n".format
        self._descriptor = descriptor
        self._max_queued = max_queued
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._changed = threading.Condition()  # its lock is reentrant, because a destructor may log
        self._is_dropping = False
        self._can_write = True
        self._is_closing = False
        self._unreported = 0  # lines dropped since the last notice
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
        """Queue ``line`` for writing."""
        if self._ended is None:
            with self._changed:
                self._write(line)
            return
        with self._changed:
            if self._lines and self._size + len(line) > self._max_queued:
                self._is_dropping = True  # until the queue is empty; else a slow reader would get every other line
            if self._is_dropping:
                self._drop()
                return
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify_all()

    def count_dropped(self, count: Callable[[int], object]) -> None:
        """Call ``count`` with the number of lines whenever lines are dropped, and now with those dropped so far."""
        with self._changed:
            self._count = count
            uncounted, self._uncounted = self._uncounted, 0
        if uncounted:
            count(uncounted)

    def close(self, seconds: float) -> None:
        """Write the queued lines, for at most ``seconds``, and stop the thread."""
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            if self._ended is not None:
                self._changed.wait_for(lambda: not self._lines and not self._has_notice, seconds)
        self._threads.shutdown()

    @property
    def _has_notice(self) -> bool:
        return self._unreported > 0 and (self._is_dropping or self._can_write)

    def _drop(self) -> None:
        self._unreported += 1
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
                line, unreported = (self._lines[0], 0) if self._lines else (b"", self._unreported)
            if unreported:
                self._write_notice(unreported)
                continue
            self._write(line)
            with self._changed:
                self._lines.popleft()
                self._size -= len(line)
                self._changed.notify_all()

    def _write_notice(self, dropped: int) -> None:
        """Report the number of dropped lines, and accept new ones again."""
        self._write(self.notice(dropped).encode("utf-8", "backslashreplace"), is_notice=True)
        with self._changed:
            if self._can_write:
                self._unreported -= dropped
            self._is_dropping = self._can_write and self._unreported > 0
            self._changed.notify_all()

    def _write(self, line: bytes, *, is_notice: bool = False) -> None:
        self._can_write = True
        try:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BlockingIOError:  # another process has made the shared descriptor non-blocking
                    poll = select.poll()
                    poll.register(self._descriptor, select.POLLOUT)
                    poll.poll()
        except OSError:  # the reader has closed the pipe, or the disk is full
            self._can_write = False
            if not is_notice:
                with self._changed:
                    self._drop()


def non_blocking(descriptor: int) -> int:
    """Return a non-blocking descriptor of the same file as ``descriptor``.

    Return ``descriptor`` itself for a regular file, which never blocks, and for a socket, which cannot be reopened.
    """
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        with contextlib.suppress(OSError):
            # Reopened: O_NONBLOCK is shared by all duplicates of a descriptor, in other processes as well.
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    return descriptor


class LineStream(io.TextIOBase):
    """A text stream, a replacement for ``sys.stderr``, whose lines are written by ``writer``."""

    def __init__(self, writer: LineWriter) -> None:
        self.writer = writer
        self._partial_line = ""
        self._lock = threading.RLock()

    def writable(self) -> bool:
        """Return True: the stream is writable."""
        return True

    def write(self, text: str) -> int:
        """Write the complete lines of ``text``; keep an incomplete one until its newline is written."""
        with self._lock:
            *lines, self._partial_line = (self._partial_line + text).split("\n")
            for line in lines:
                self.writer.write(f"{line}\n".encode("utf-8", "backslashreplace"))
        return len(text)
