"""The progress of a run: the parts that it has read so far, which an exporter can show before the run ends."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Generic, TypeVar

import msgspec
from msgspec import UNSET

from .caution import counted
from .observation import Missing, Observation, Part, Unavailable
from .product_lists import BY_PRODUCT

T = TypeVar("T")

_NOUNS = dict.fromkeys(BY_PRODUCT, "product") | {
    "awp": "month",
    "groups": "group",
    "ip_licenses": "part",
    "status": "part",
}


class FirstPoll(msgspec.Struct, frozen=True):
    """How far a poll is while there are no data of a finished one: ``done`` of ``total`` parts.

    Parts that could not be read are done as well. ``noun`` is the name of a part for people, such as "key".
    """

    done: int
    total: int
    noun: str = "key"

    def __str__(self) -> str:
        """Return the progress as text: ``3 of 10 keys``."""
        return f"{self.done} of {counted(self.total, self.noun)}"


class Progress(Generic[T]):
    """The parts that a run in progress has read so far. Thread-safe.

    ``start`` is the observation when the list of parts has been read, with the parts that the list itself contains;
    ``names`` are those of the parts that are still to be read.
    """

    def __init__(self, start: Observation[T], names: Collection[str] = ()) -> None:
        self._start = start
        self._names = (*(part.name for part in start.parts), *names)
        self._parts = {part.name: part for part in start.parts}
        self._done = len(start.parts)
        self._lock = threading.Lock()

    def add(self, outcome: Part[T] | Missing | Unavailable) -> None:
        """Add the outcome of reading a part."""
        with self._lock:
            self._done += 1
            if isinstance(outcome, Part):
                self._parts[outcome.name] = outcome

    @property
    def has_parts(self) -> bool:
        """Whether a part has been read."""
        return bool(self._parts)

    @property
    def done(self) -> int:
        """The number of parts whose outcome is known."""
        return self._done

    @property
    def as_first_poll(self) -> FirstPoll | None:
        """The progress for people; None if there is nothing to read."""
        total = len(self._names)
        return FirstPoll(self._done, total, _NOUNS.get(self._start.probe, "key")) if total else None

    def observation(self, earlier: Observation[T] | None = None) -> Observation[T]:
        """Return an observation of the parts that have been read so far, in the order of the list.

        Data of an ``earlier`` run that did not read all parts stay, except for the parts that have been read since.
        """
        with self._lock:
            read = dict(self._parts)
        parts = tuple(read[name] for name in self._names if name in read)
        base = self._start if earlier is None or not earlier.has_data else earlier
        return msgspec.structs.replace(
            base,
            observed_at=max((part.observed_at for part in parts), default=base.observed_at),
            parts=(*parts, *(part for part in base.parts if part.name not in read)),
            missing=tuple(missing for missing in base.missing if missing.name not in read),
            expired_parts=tuple(name for name in base.expired_parts if name not in read),
            unavailable=tuple(part for part in base.unavailable if part.name not in read),
            empty=UNSET if parts else base.empty,
        )
