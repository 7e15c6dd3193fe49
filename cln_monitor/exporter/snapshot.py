"""Snapshots of targets, which survive a restart: their file format, with a checksum over the whole content."""

from __future__ import annotations

import hashlib
import math
import re
import typing
from typing import Any, Generic, TypeVar

import msgspec

from cln_monitor.exporter.history import History
from cln_monitor.probes import Observation, Probe

T = TypeVar("T")

FORMAT = 1
"""The version of the format; increment it if this version or an earlier one would misread files of the other.

Readers ignore fields that they do not know. ``tests/versions`` has files of earlier versions.
"""

HEADER_SIZE = 100
"""The number of bytes of a file that contain its format."""

_HEADER = re.compile(rb"cln-monitor state (\d{1,6}) ([0-9a-f]{64})\n")


class SnapshotError(Exception):
    """A saved state that cannot be used; the text is the reason."""


class Snapshot(msgspec.Struct, Generic[T], frozen=True):
    """The state of a target after its last run, which started at ``started_at`` and took ``duration`` seconds.

    ``identity_digest`` is a digest of the API root and the login: data of another account must not be shown. Times are
    Unix seconds.
    """

    identity_digest: str = msgspec.field(name="asks")  # the name in saved files
    started_at: float
    duration: float
    last_success: float | None
    observation: Observation[T]
    history: History = History()

    def encode(self) -> bytes:
        """Return the content of the file, which :func:`decode` reads."""
        body = msgspec.msgpack.encode(self)
        return f"cln-monitor state {FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body

    @property
    def newest(self) -> float:
        """The latest of its timestamps in Unix seconds, or infinity if one is not a finite number."""
        observation = self.observation
        timestamps = [self.started_at, self.last_success or 0.0, *(part.observed_at for part in observation.parts)]
        timestamps += [observation.empty.observed_at] if observation.empty else []
        return max(timestamps) if all(map(math.isfinite, timestamps)) else math.inf


def decode(data: bytes, probe: Probe[T], now: float) -> Snapshot[T]:
    """Return the snapshot of a target of ``probe`` in ``data``. Raises SnapshotError for any invalid data."""
    header = _HEADER.match(data)
    if header is None:
        raise SnapshotError("empty file" if not data else "corrupt, or not a state file of cln-exporter")
    if int(header[1]) != FORMAT:
        raise SnapshotError(f"unsupported format {int(header[1])}, this version uses format {FORMAT}")
    body = memoryview(data)[header.end() :]
    if hashlib.sha256(body).hexdigest().encode() != header[2]:
        raise SnapshotError("corrupt: checksum mismatch")
    try:
        saved: Snapshot[T] = msgspec.msgpack.decode(body, type=_type_of(probe))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SnapshotError(f"written by an incompatible version ({error})") from None
    if saved.newest > now:
        # Across a restart, ages are computed from the wall clock, and data from the future would never expire.
        raise SnapshotError("timestamps in the future; the clock has been set back")
    return saved


def newer_format(data: bytes) -> int | None:
    """Return the format of a file that begins with ``data`` if only newer versions can read it, otherwise None."""
    header = _HEADER.match(data)
    return int(header[1]) if header is not None and int(header[1]) > FORMAT else None


class _LastSuccess(msgspec.Struct, frozen=True):
    last_success: float | None


def last_success_of(data: bytes) -> float:
    """Return the Unix time of the last success in a file of any probe; 0 if there was none or ``data`` are invalid."""
    try:
        body = memoryview(data)[data.index(b"\n") + 1 :]
        return msgspec.msgpack.decode(body, type=_LastSuccess).last_success or 0.0
    except (ValueError, msgspec.MsgspecError):
        return 0.0


def _type_of(probe: Probe[T]) -> Any:
    """Return the type of snapshots of ``probe``; the type of a part is in the return annotation of its plan."""
    (part_type,) = typing.get_args(typing.get_type_hints(probe.plan)["return"])
    return Snapshot[part_type]  # type: ignore[valid-type] # known at run time
