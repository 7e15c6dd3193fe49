"""What a probe saw: typed, immutable, with the time it was seen. All that we show is a function of observations."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from cln_monitor import facts

from .caution import Caution

T = TypeVar("T")


class Failure(msgspec.Struct, frozen=True):
    """Why something could not be read: a ``reason`` out of ``cln.REASONS``, and a ``text`` without secrets."""

    reason: str
    text: str


TOO_OLD = Failure("too_old", "what was read of it has grown too old")
"""Why a part is missing that no run has failed to read."""

_MOST_NAMED = 3


class Part(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """What was read in one go, usually one license key. ``observed_at``: Unix seconds; ``cautions``: what is odd in it.

    ``monotonic`` is the same moment in seconds of the monotonic clock, by which this process tells its age; it means
    nothing to another process.
    """

    name: str
    observed_at: float
    value: T
    monotonic: float = 0.0
    cautions: tuple[Caution, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """A part that could not be read this time. A ``name`` of ``""`` stands for the list of all parts."""

    name: str
    failure: Failure


class Unavailable(msgspec.Struct, frozen=True):
    """A part that CLN does not offer to this account: ``what`` it is in words, and CLN's answer, without secrets."""

    name: str
    what: str
    text: str


class Gap(msgspec.Struct, frozen=True):
    """A part that the last run could not read, and why. ``is_kept``: what an earlier run read of it is still shown."""

    name: str
    reason: str
    text: str
    is_kept: bool

    def __str__(self) -> str:
        """Return it as a line: ``WsTs-8c7994d7 (refused): Reseller not found``."""
        return f"{self.name or 'the list'} ({self.reason}): {self.text}"


class Observation(msgspec.Struct, Generic[T], frozen=True, dict=True):
    """What one run of a probe saw of an account: the parts it read, and those it could not read.

    ``account`` is ``""`` where a probe asks about CLN itself; ``api`` is the host of the API root. Names of parts are
    labels of keys, never the keys themselves. ``list_known`` is false when the list of the parts could not be read, so
    that a part which is not here may exist all the same. ``lost`` are names of parts that were there before and
    of which nothing is left to show: they grew too old, or could not be read and the list of the parts is not known.
    The ``parts`` of the last run come first, then those of the run before, and so on. ``empty`` is the list of the
    parts where it was read and has none: that is data as well, and grows old as a part does. ``cautions`` are of that
    list, and of the run as a whole; those of a part are in it. ``unavailable`` are parts that CLN does not offer to the
    account: neither read nor missing.
    """

    probe: str
    account: str
    api: str
    observed_at: float
    parts: tuple[Part[T], ...] = ()
    missing: tuple[Missing, ...] = ()
    list_known: bool = True
    lost: tuple[str, ...] = ()
    empty: Part[None] | UnsetType = UNSET
    cautions: tuple[Caution, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()

    @property
    def all_cautions(self) -> list[Caution]:
        """What is odd in all that is there, and what is not available."""
        not_available = Caution.of(facts.NOT_AVAILABLE, [each.what for each in self.unavailable])
        return [*self.cautions, *(caution for part in self.parts for caution in part.cautions), *not_available]

    @property
    def has_data(self) -> bool:
        """Whether there is anything to show, be it that there is nothing."""
        return bool(self.parts or self.empty)

    @property
    def failure(self) -> Failure | None:
        """Why the run as a whole counts as failed: the most frequent reason among the missing parts, or None."""
        if not self.missing:
            return None
        reasons = [missing.failure.reason for missing in self.missing]
        worst = max(self.missing, key=lambda missing: reasons.count(missing.failure.reason))
        others = [missing.name or "the list" for missing in self.missing if missing is not worst]
        more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
        also = f"; also missing: {', '.join(others[:_MOST_NAMED])}{more}" if others else ""
        return Failure(worst.failure.reason, worst.failure.text + also)

    @property
    def gaps(self) -> list[Gap]:
        """What is missing, part by part: the one list that all who tell of it read."""
        lacking = {missing.name for missing in self.lacking}
        gaps = [
            Gap(each.name, each.failure.reason, each.failure.text, each.name not in lacking) for each in self.missing
        ]
        of_list = next((each.failure for each in self.missing if not each.name), TOO_OLD)
        told = {each.name for each in self.missing} | {part.name for part in self.parts}
        return gaps + [Gap(name, of_list.reason, of_list.text, False) for name in self.lost if name not in told]

    @property
    def lacking(self) -> list[Missing]:
        """What is missing and was not seen earlier either, as far as that is kept; as JSON readers work it out too."""
        present = {part.name for part in self.parts}
        if self.has_data and not self.list_known:
            present.add("")  # what was seen before the list failed is still young
        return [missing for missing in self.missing if missing.name not in present]

    def with_refused(self, earlier: Observation[T]) -> Observation[T]:
        """Return this observation with what CLN offered ``earlier`` and offers no longer as missing."""
        known = {part.name for part in earlier.parts}
        gone = [each for each in self.unavailable if each.name in known]
        return msgspec.structs.replace(
            self,
            missing=(*self.missing, *(Missing(each.name, Failure("refused", each.text)) for each in gone)),
            unavailable=tuple(each for each in self.unavailable if each not in gone),
            empty=UNSET if gone else self.empty,
        )

    def after(self, earlier: Observation[T], now: float, max_age: float) -> Observation[T]:
        """Return this observation with what it misses taken from an ``earlier`` one, part by part.

        ``now`` is the monotonic time; what is older than ``max_age`` seconds then is not taken.
        """
        have = {part.name for part in self.parts}
        missed = {missing.name for missing in self.missing}

        def may_exist(name: str) -> bool:
            return name not in have and (name in missed or not self.list_known)

        kept = tuple(part for part in earlier.parts if may_exist(part.name))
        have.update(part.name for part in kept)
        known = dict.fromkeys((*earlier.lost, *(missing.name for missing in earlier.missing if missing.name)))
        lost = tuple(name for name in known if may_exist(name))
        of_list = self if self.list_known else earlier
        merged = msgspec.structs.replace(
            self, parts=self.parts + kept, lost=lost, empty=of_list.empty, cautions=of_list.cautions
        )
        return merged.without_expired(now, max_age)

    def without_expired(self, now: float, max_age: float) -> Observation[T]:
        """Return this observation without parts that are older than ``max_age`` seconds at the monotonic ``now``."""
        if now <= self.expires_at(max_age):
            return self
        parts = tuple(part for part in self.parts if now - part.monotonic <= max_age)
        dropped = tuple(part.name for part in self.parts if now - part.monotonic > max_age)
        empty = self.empty if self.empty and now - self.empty.monotonic <= max_age else UNSET
        return msgspec.structs.replace(self, parts=parts, lost=self.lost + dropped, empty=empty)

    def expires_at(self, max_age: float) -> float:
        """Return the monotonic time after which the first part is older than ``max_age``; infinity without data."""
        return self.oldest + max_age

    def dated(self, now: float, wall_now: float) -> Observation[T]:
        """Return what another process wrote, with monotonic times of this one, as of ``now`` and Unix ``wall_now``."""
        return self._with_times(lambda part: now - (wall_now - part.observed_at))

    def undated(self) -> Observation[T]:
        """Return this observation without monotonic times, for other processes to read."""
        return self._with_times(lambda _: 0.0)

    def _with_times(self, time_of: Callable[[Part[Any]], float]) -> Observation[T]:
        parts = tuple(msgspec.structs.replace(part, monotonic=time_of(part)) for part in self.parts)
        empty = msgspec.structs.replace(self.empty, monotonic=time_of(self.empty)) if self.empty else UNSET
        return msgspec.structs.replace(self, parts=parts, empty=empty)

    @cached_property
    def oldest(self) -> float:
        """The monotonic time of the oldest part, or of the list that has none; infinity without data."""
        # Each scrape asks for it, and to look at thousands of parts takes most of a millisecond.
        return min((part.monotonic for part in self.parts), default=self.empty.monotonic if self.empty else math.inf)
