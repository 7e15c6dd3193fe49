"""What of a target outlives the exporter, as the bytes of a file: checked as a whole before any of it is believed."""

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
"""Grows when what an earlier exporter wrote would be misread."""

_HEADER = re.compile(rb"cln-monitor state (\d{1,6}) ([0-9a-f]{64})\n")


class SnapshotError(Exception):
    """A saved state that is left aside; the text says why."""


class Snapshot(msgspec.Struct, Generic[T], frozen=True):
    """How a target stood after its last run, begun at ``started_at`` (Unix seconds), which took ``duration`` seconds.

    ``asks`` is a digest of what was asked and as whom: what another account saw must not be shown for this one.
    """

    asks: str
    started_at: float
    duration: float
    last_success: float | None
    observation: Observation[T]
    history: History = History()

    def encode(self) -> bytes:
        """Return the bytes that :func:`decode` takes."""
        body = msgspec.msgpack.encode(self)
        return f"cln-monitor state {FORMAT} {hashlib.sha256(body).hexdigest()}\n".encode() + body

    @property
    def newest(self) -> float:
        """The latest moment it knows of; infinity where one is no moment."""
        seen = self.observation
        moments = [self.started_at, self.last_success or 0.0, *(part.observed_at for part in seen.parts)]
        moments += [seen.empty.observed_at] if seen.empty else []
        return max(moments) if all(map(math.isfinite, moments)) else math.inf


def decode(data: bytes, probe: Probe[T], now: float) -> Snapshot[T]:
    """Return what ``data`` hold of a target of ``probe``. Raises SnapshotError; whatever the data are, nothing else."""
    header = _HEADER.match(data)
    if header is None:
        raise SnapshotError("it is empty" if not data else "it is damaged, or no state of an exporter")
    if int(header[1]) != FORMAT:
        raise SnapshotError(f"it is of format {int(header[1])}, and this exporter writes format {FORMAT}")
    body = memoryview(data)[header.end() :]
    if hashlib.sha256(body).hexdigest().encode() != header[2]:
        raise SnapshotError("it is damaged")
    try:
        saved: Snapshot[T] = msgspec.msgpack.decode(body, type=_type_of(probe))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise SnapshotError(f"another version of the exporter wrote it ({error})") from None
    if saved.newest > now:
        # Times of day are all there is to go by over a restart, and by such a clock nothing is ever too old.
        raise SnapshotError("it is of the future; the clock has been set back")
    return saved


def _type_of(probe: Probe[T]) -> Any:
    """Return the type of what is saved of ``probe``: what its parts hold is what its plan says it reads."""
    (of_part,) = typing.get_args(typing.get_type_hints(probe.plan)["return"])
    return Snapshot[of_part]  # type: ignore[valid-type] # known when it runs
