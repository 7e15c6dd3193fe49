"""Keeps what targets saw over a restart: written a moment after each run, read before the first scrape."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import structlog

from cln_monitor.cln import Clock, Threads
from cln_monitor.exporter.snapshot import Snapshot, SnapshotError, decode
from cln_monitor.exporter.target import Target, TargetId

from .directory import StateFolder

_log = structlog.get_logger(__name__)

_GATHER = 1.0  # seconds after a run in which others may end too, so that they are made safe together
_RETRY = 60.0  # seconds after which what could not be written is tried again
_LAST_WRITE = 5.0  # seconds that a stop waits for a disk


class SnapshotStore:
    """The files of one folder, one for each target. ``failed`` is called for each that could not be written."""

    def __init__(self, path: Path, failed: Callable[[], None]) -> None:
        """Raises StateError when the folder cannot be used, ThreadError when there is no thread to write."""
        self._folder = StateFolder(path)
        self._failed = failed
        self._due: dict[str, Snapshot[Any] | None] = {}
        self._lock = threading.Lock()
        self._some_due = threading.Event()
        self._stopping = threading.Event()
        self._threads = Threads(1)
        self._threads.keep(1)
        self._writer: Future[None] | None = None
        self._error = ""

    def restore(self, targets: Iterable[Target], clock: Clock) -> None:
        """Give ``targets`` back what they saw before, and remove what is of none of them; nothing it finds stops it."""
        names = {_name_of(target.id): target for target in targets}
        for name, target in names.items():
            try:
                self._restore(name, target, clock)
            except OSError as error:
                self._leave(name, target, f"it cannot be read ({error.strerror})")
            except SnapshotError as error:
                self._leave(name, target, str(error))
        for name in set(self._folder.names()) - set(names):
            try:
                self._folder.remove(name)
            except OSError as error:
                _log.warning("state of nothing not removed", file=str(self._folder.path / name), error=error.strerror)
            else:
                _log.info("state removed, as nothing asks for it any more", file=name)

    def _restore(self, name: str, target: Target, clock: Clock) -> None:
        data = self._folder.read(name)
        if data is None:
            return
        now = clock.time()
        saved = decode(data, target.probe, now)
        seen = saved.observation
        if (seen.api, seen.account, seen.probe) != (target.id.api, target.id.account, target.id.probe):
            raise SnapshotError("it is of another probe")
        if saved.asks != target.asks:
            raise SnapshotError("it is of another login, API or form of the keys' labels")
        target.restore(saved, clock)
        kept = 0 if target.observation is None else len(target.observation.parts)
        if kept < len(seen.parts):
            old = len(seen.parts) - kept
            self._leave(name, target, f"{old} of {len(seen.parts)} parts are older than max_age")
        if kept:
            age = round(now - min(part.observed_at for part in seen.parts))
            _log.info("state restored", **_named(target), parts=kept, seconds_old=age)

    def _leave(self, name: str, target: Target, why: str) -> None:
        _log.warning("state left aside", **_named(target), file=str(self._folder.path / name), reason=why)

    def keep(self, target: Target) -> None:
        """Write soon how ``target`` stands now."""
        saved = target.saved()
        if saved is not None:
            self._add(_name_of(target.id), saved)

    def forget(self, target: TargetId) -> None:
        """Remove soon what is kept of ``target``."""
        self._add(_name_of(target), None)

    def _add(self, name: str, saved: Snapshot[Any] | None) -> None:
        with self._lock:
            self._due[name] = saved
            if self._writer is None:
                self._writer = self._threads.submit(self._write_when_due)
        self._some_due.set()

    def close(self) -> None:
        """Write what is due, unless the disk takes too long, and let others use the folder."""
        self._stopping.set()
        self._some_due.set()
        self._threads.shutdown()
        if self._writer is not None:
            wait((self._writer,), _LAST_WRITE)
            if not self._writer.done():
                _log.warning("last state not written, the disk takes too long", folder=str(self._folder.path))
                return  # the folder stays ours until the process has ended
        self._folder.close()

    def _write_when_due(self) -> None:
        while True:
            self._some_due.wait()
            self._stopping.wait(_GATHER)
            self._some_due.clear()
            left = self._write_all()
            if self._stopping.is_set():
                if left or not self._due:
                    return
                continue  # what came while the rest was written
            if left:
                self._stopping.wait(_RETRY)
                self._some_due.set()

    def _write_all(self) -> bool:
        """Write what is due; tell whether some of it could not be, and is due still."""
        with self._lock:
            due, self._due = self._due, {}
        failed: dict[str, Snapshot[Any] | None] = {}
        error = ""
        for name, saved in due.items():
            try:
                if saved is None:
                    self._folder.remove(name)
                else:
                    self._folder.write(name, saved.encode())
            except OSError as raised:
                error = f"{raised.strerror}"
                failed[name] = saved
                self._failed()
        try:
            self._folder.settle()
        except OSError as raised:
            error = error or f"{raised.strerror}"
        if error != self._error:
            folder = str(self._folder.path)
            if error:
                _log.warning("state not written; a restart would show older data, or none", folder=folder, error=error)
            else:
                _log.info("state is written again", folder=folder)
            self._error = error
        with self._lock:
            self._due = failed | self._due  # what a run has brought meanwhile is newer
        return bool(failed)


def _name_of(target: TargetId) -> str:
    # A digest, as the host of an API may have signs in it that a file name cannot.
    of = hashlib.sha256("\0".join((target.api, target.account)).encode()).hexdigest()
    return f"{target.probe}-{of[:32]}.state"


def _named(target: Target) -> dict[str, str]:
    return {"account": target.id.account, "api": target.id.api, "probe": target.id.probe}
