"""Nagios and Naemon: lines in the command file, a named pipe, which are written without waiting for a core."""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from cln_monitor.feed.result import FeedResult
from cln_monitor.probes import Duration

from .nagios_command import command, problem_of_names
from .sink import DELIVERED, Delivery, Outcome, SinkSettings, object_name, problem_of_timeout

_STALLED = 1.0  # seconds after which a full pipe counts as one whose reader has stopped
_REASONS = {
    errno.EACCES: "no permission to write to it: add the user of cln-feed to the group of the command file",
    errno.ENXIO: "no process reads it: is the core running?",
    errno.ENOENT: "it does not exist: is the core running?",
    errno.EPIPE: "the core has closed it",
    errno.EAGAIN: "it is full: the core does not read it",
}


class Settings(SinkSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a Nagios or Naemon: ``command_file`` is the core's setting of that name."""

    files: ClassVar[tuple[str, ...]] = ("command_file",)

    command_file: str
    timeout: Duration = Duration(30.0)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        if problem := _problem_of_type(Path(self.command_file)):
            yield "command_file", problem
        if problem := problem_of_timeout(self.timeout):
            yield "timeout", problem


class NagiosSink:
    """Writes results to the command file of Nagios or Naemon, which does not report unknown services."""

    name = "nagios"

    def __init__(self, settings: Settings) -> None:
        self._path = Path(settings.command_file)
        self._timeout = settings.timeout

    def send(self, results: Sequence[FeedResult], *, now: float, ttl: float) -> list[Outcome]:  # noqa: ARG002 # the core's freshness_threshold is the time to live
        """Write ``results``, and return an outcome for each."""
        if problem := _problem_of_type(self._path):
            return [Outcome(Delivery.REFUSED, f"{self._path}: {problem}")] * len(results)
        refusals = list(map(_refusal, results))
        lines = [command(result, now) for result, refusal in zip(results, refusals, strict=True) if refusal is None]
        written, reason = self._write(lines)
        failure = Outcome(Delivery.FAILED, f"{self._path}: {reason}")
        deliveries = iter([DELIVERED] * written + [failure] * (len(lines) - written))
        return [refusal or next(deliveries) for refusal in refusals]

    def check(self, results: Sequence[FeedResult]) -> list[str]:
        """Return why results cannot be written; the pipe is opened, and nothing is written."""
        problems = [refusal.reason for refusal in map(_refusal, results) if refusal is not None]
        if problem := _problem_of_type(self._path):
            return [*problems, f"{self._path}: {problem}"]
        try:
            os.close(self._open())
        except OSError as error:
            return [*problems, f"{self._path}: {_reason(error)}"]
        return problems

    def close(self) -> None:
        """Do nothing: the pipe is open only while results are sent, as a restarted core makes a new one."""

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)

    def _write(self, lines: Sequence[bytes]) -> tuple[int, str]:
        """Write ``lines``; return how many were written, and why not more."""
        ends_at = time.monotonic() + self._timeout
        written = 0
        if not lines:
            return 0, ""
        try:
            pipe = self._open()
            try:
                if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
                    return 0, "it is not a named pipe any more"
                for block in _blocks(lines):
                    _write_block(pipe, b"".join(block), ends_at)
                    written += len(block)
            finally:
                os.close(pipe)
        except OSError as error:
            return written, _reason(error)
        return written, ""


def _refusal(result: FeedResult) -> Outcome | None:
    problem = problem_of_names(result.host, result.service)
    return Outcome(Delivery.REFUSED, f"{object_name(result)!r}: {problem}") if problem else None


def _problem_of_type(path: Path) -> str:
    """Return why the command file ``path`` is the wrong file, or ""; a missing one appears with the core."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "" if path.parent.is_dir() else "its directory does not exist"
    except OSError as error:
        return _reason(error)
    return "" if stat.S_ISFIFO(mode) else "is not a named pipe: use the core's setting command_file"


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__


def _blocks(lines: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield as many lines at a time as one write can have, which is then not mixed with those of other processes."""
    block: list[bytes] = []
    size = 0
    for line in lines:
        if block and size + len(line) > select.PIPE_BUF:
            yield block
            block, size = [], 0
        block.append(line)
        size += len(line)
    yield block


def _write_block(pipe: int, block: bytes, ends_at: float) -> None:
    """Write ``block``, of up to PIPE_BUF bytes; raise OSError if a full pipe is not read for a while."""
    ready = select.poll()
    ready.register(pipe, select.POLLOUT)
    while True:
        try:
            os.write(pipe, block)  # complete or not at all
        except BlockingIOError:
            seconds = min(_STALLED, ends_at - time.monotonic())
            if seconds <= 0 or not ready.poll(seconds * 1000):
                raise
        else:
            return
