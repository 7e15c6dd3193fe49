"""Saves snapshots of targets shortly after each run, and restores them on startup, before the first scrape."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

import structlog

from cln_monitor.cln import Clock, Threads
from cln_monitor.exporter.snapshot import (
    FORMAT,
    HEADER_SIZE,
    Snapshot,
    SnapshotError,
    decode,
    last_success_of,
    newer_format,
)
from cln_monitor.exporter.target import Target, TargetId
from cln_monitor.probes import ALL_PROBES

from .directory import StateDirectory

_log = structlog.get_logger(__name__)

_BATCH_DELAY = 1.0  # seconds after a run, so that the snapshots of several runs share one sync
_RETRY_DELAY = 60.0  # seconds after a failed write
_CLOSE_TIMEOUT = 5.0  # seconds


class SnapshotStore:
    """One file per target in a directory. ``on_failure`` is called for each failed write. Thread-safe."""

    def __init__(self, path: Path, on_failure: Callable[[], None]) -> None:
        """Raises StateError if the directory cannot be used, ThreadError if the writing thread cannot be started."""
        self._directory = StateDirectory(path)
        self._on_failure = on_failure
        self._due: dict[str, Snapshot[Any] | None] = {}
        self._lock = threading.Lock()
        self._has_due = threading.Event()
        self._stopping = threading.Event()
        self._threads = Threads(1)
        self._threads.keep(1)
        self._writer: Future[None] | None = None
        self._error = ""

    def restore(self, targets: Iterable[Target], clock: Clock) -> None:
        """Restore the data of ``targets``, and remove the files of others. Log errors; they never stop the exporter.

        Files of a newer version are kept for it.
        """
        self._bring_back()
        self._set_newer_aside()
        names = {_name_of(target.id): target for target in targets}
        for name, target in names.items():
            try:
                self._restore(name, target, clock)
            except OSError as error:
                self._ignore(name, target, f"cannot be read: {error.strerror}")
            except SnapshotError as error:
                self._ignore(name, target, str(error))
        for name in set(self._directory.names()) - set(names):
            if name.rpartition("-")[0] not in ALL_PROBES:
                continue  # of a newer version
            try:
                self._directory.remove(name)
            except OSError as error:
                _log.warning(
                    "removing unused state failed", file=str(self._directory.path / name), error=error.strerror
                )
            else:
                _log.info("unused state removed", file=name)

    def _set_newer_aside(self) -> None:
        """Rename the files of a newer version, because runs would overwrite them."""
        formats = []
        for name in self._directory.names():
            try:
                format_ = newer_format(self._directory.read(name, HEADER_SIZE) or b"")
                if format_ is not None:
                    self._directory.set_aside(name, format_)
                    formats.append(format_)
            except OSError:
                continue  # if a target needs the file, restoring it reports the error
        if formats:
            _log.warning(
                "saved state of a newer version kept aside; starting without it",
                directory=str(self._directory.path),
                files=len(formats),
                format=max(formats),
                supported_format=FORMAT,
            )

    def _bring_back(self) -> None:
        """Use the files that an older version has set aside, unless it has read newer data since."""
        for file in self._directory.aside():
            if file.format_ > FORMAT:
                continue
            try:
                current = self._directory.read(file.original)
                is_newer = current is not None and last_success_of(current) >= last_success_of(
                    self._directory.read(file.name) or b""
                )
                if is_newer:
                    self._directory.remove(file.name)
                else:
                    self._directory.bring_back(file)
            except OSError as error:
                _log.warning("restoring state kept aside failed", file=file.name, error=error.strerror)
            else:
                _log.info("unused state removed" if is_newer else "state kept aside restored", file=file.name)

    def _restore(self, name: str, target: Target, clock: Clock) -> None:
        data = self._directory.read(name)
        if data is None:
            return
        now = clock.time()
        saved = decode(data, target.probe, now)
        observation = saved.observation
        if target.id != TargetId(observation.api, observation.account, observation.probe):
            raise SnapshotError("belongs to another probe")
        if saved.identity_digest != target.identity_digest:
            raise SnapshotError("belongs to another login, API URL or key_labels setting")
        target.restore(saved, clock)
        kept = 0 if target.observation is None else len(target.observation.parts)
        if kept < len(observation.parts):
            old = len(observation.parts) - kept
            self._ignore(name, target, f"{old} of {len(observation.parts)} parts are older than max_age")
        if kept:
            age = round(now - min(part.observed_at for part in observation.parts))
            _log.info("saved state restored", **_labels_of(target), parts=kept, age_seconds=age)

    def _ignore(self, name: str, target: Target, reason: str) -> None:
        _log.warning("saved state ignored", **_labels_of(target), file=str(self._directory.path / name), reason=reason)

    def keep(self, target: Target) -> None:
        """Queue the current state of ``target`` for writing."""
        saved = target.snapshot()
        if saved is not None:
            self._add(_name_of(target.id), saved)

    def forget(self, target: TargetId) -> None:
        """Queue the file of ``target`` for removal."""
        self._add(_name_of(target), None)

    def _add(self, name: str, saved: Snapshot[Any] | None) -> None:
        with self._lock:
            self._due[name] = saved
            if self._writer is None:
                self._writer = self._threads.submit(self._write_when_due)
        self._has_due.set()

    def close(self) -> None:
        """Write what is queued, unless that times out, and unlock the directory."""
        self._stopping.set()
        self._has_due.set()
        self._threads.shutdown()
        if self._writer is not None:
            wait((self._writer,), _CLOSE_TIMEOUT)
            if not self._writer.done():
                _log.warning("saving state timed out on shutdown", directory=str(self._directory.path))
                return  # the directory stays locked until the process exits
        self._directory.close()

    def _write_when_due(self) -> None:
        while True:
            self._has_due.wait()
            self._stopping.wait(_BATCH_DELAY)
            self._has_due.clear()
            has_failed = self._write_all()
            if self._stopping.is_set():
                if has_failed or not self._due:
                    return
                continue  # snapshots queued during the write
            if has_failed:
                self._stopping.wait(_RETRY_DELAY)
                self._has_due.set()

    def _write_all(self) -> bool:
        """Write what is queued. Return whether a write failed; those snapshots stay queued."""
        with self._lock:
            due, self._due = self._due, {}
        failed: dict[str, Snapshot[Any] | None] = {}
        error = ""
        for name, saved in due.items():
            try:
                if saved is None:
                    self._directory.remove(name)
                else:
                    self._directory.write(name, saved.encode())
            except OSError as raised:
                error = f"{raised.strerror}"
                failed[name] = saved
                self._on_failure()
        try:
            self._directory.sync()
        except OSError as raised:
            error = error or f"{raised.strerror}"
        if error != self._error:
            directory = str(self._directory.path)
            if error:
                _log.warning(
                    "saving state failed; after a restart, data may be older or missing",
                    directory=directory,
                    error=error,
                )
            else:
                _log.info("saving state succeeded again", directory=directory)
            self._error = error
        with self._lock:
            self._due = failed | self._due  # snapshots queued meanwhile are newer
        return bool(failed)


def _name_of(target: TargetId) -> str:
    # A hash, as the host of an API may have characters that are not allowed in file names.
    hash_ = hashlib.sha256("\0".join((target.api, target.account)).encode()).hexdigest()
    return f"{target.probe}-{hash_[:32]}.state"


def _labels_of(target: Target) -> dict[str, str]:
    return {"account": target.id.account, "api": target.id.api, "probe": target.id.probe}
