"""Observations: the typed, immutable results of probes. Metrics, pages, JSON, and checks are functions of them."""

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
    """Why a part could not be read: a ``reason`` from ``cln.REASONS``, and a ``text`` without secrets."""

    reason: str
    text: str


TOO_OLD = Failure("too_old", "its last data are older than max_age")
"""The failure of a part that is missing although no run failed to read it."""

_MOST_NAMED = 3


class Part(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """Data that were read together, usually those of one license key, and the ``cautions`` about them.

    ``observed_at`` is in Unix seconds. ``monotonic`` is the same moment in seconds of this process's monotonic clock,
    from which its age is computed; it has no meaning in another process.
    """

    name: str
    observed_at: float
    value: T
    monotonic: float = 0.0
    cautions: tuple[Caution, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """A part that the last run could not read. The ``name`` ``""`` is that of the list of all parts."""

    name: str
    failure: Failure


class Unavailable(msgspec.Struct, frozen=True):
    """A part that CLN does not offer to this account.

    ``subject`` names it for people, as in "ELS PHP_ELS"; ``text`` is CLN's answer without secrets. In JSON the
    subject is ``what``.
    """

    name: str
    subject: str = msgspec.field(name="what")
    text: str


class Gap(msgspec.Struct, frozen=True):
    """A part that the last run could not read, and why. ``is_kept``: data of an earlier run are still shown."""

    name: str
    reason: str
    text: str
    is_kept: bool

    def __str__(self) -> str:
        """Return the gap as a line: ``WsTs-8c7994d7 (refused): Reseller not found``."""
        return f"{self.name or 'the list'} ({self.reason}): {self.text}"


class Observation(msgspec.Struct, Generic[T], frozen=True, dict=True):
    """The result of one run of a probe for an account: the parts that it read, and those that it could not read.

    ``account`` is ``""`` for a probe of CLN itself; ``api`` is the host of the API root; ``observed_at`` is in Unix
    seconds. Parts are named by labels of keys, never by keys. The ``parts`` of the last run come first, then those of
    the run before, and so on. ``list_known`` is false if the list of parts could not be read, so that more parts may
    exist. ``expired_parts`` (``lost`` in JSON) are names of parts that existed before and have no data left: their data
    are too old, or they could not be read while the list of parts is unknown. ``empty`` is set if the list of parts was
    read and is empty: that is data too, and expires as a part does. ``cautions`` are those about the list of parts and
    about the whole run; a part has its own. ``unavailable`` parts are not offered to the account by CLN, and are
    therefore neither read nor missing.
    """

    probe: str
    account: str
    api: str
    observed_at: float
    parts: tuple[Part[T], ...] = ()
    missing: tuple[Missing, ...] = ()
    list_known: bool = True
    expired_parts: tuple[str, ...] = msgspec.field(default=(), name="lost")
    empty: Part[None] | UnsetType = UNSET
    cautions: tuple[Caution, ...] = ()
    unavailable: tuple[Unavailable, ...] = ()

    @property
    def all_cautions(self) -> list[Caution]:
        """The cautions about the list and all parts, and one about the parts that are not available."""
        not_available = Caution.for_names(facts.NOT_AVAILABLE, [part.subject for part in self.unavailable])
        return [*self.cautions, *(caution for part in self.parts for caution in part.cautions), *not_available]

    @property
    def has_data(self) -> bool:
        """Whether there are data to show; that a list is empty counts as data."""
        return bool(self.parts or self.empty)

    @property
    def failure(self) -> Failure | None:
        """The failure of the run as a whole, with the most frequent reason among the missing parts; or None."""
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
        """One gap per missing part: the list from which the page, the JSON, and the checks report missing parts."""
        without_data = {missing.name for missing in self.parts_missing}
        gaps = [
            Gap(missing.name, missing.failure.reason, missing.failure.text, missing.name not in without_data)
            for missing in self.missing
        ]
        list_failure = next((missing.failure for missing in self.missing if not missing.name), TOO_OLD)
        known = {missing.name for missing in self.missing} | {part.name for part in self.parts}
        expired = [name for name in self.expired_parts if name not in known]
        return gaps + [Gap(name, list_failure.reason, list_failure.text, False) for name in expired]

    @property
    def parts_missing(self) -> list[Missing]:
        """The missing parts without data of an earlier run; readers of the JSON derive the same list."""
        present = {part.name for part in self.parts}
        if self.has_data and not self.list_known:
            present.add("")  # the data from before the list failed have not expired
        return [missing for missing in self.missing if missing.name not in present]

    def with_refused(self, earlier: Observation[T]) -> Observation[T]:
        """Return this observation with parts that CLN offered ``earlier`` and no longer offers as missing parts."""
        known = {part.name for part in earlier.parts}
        withdrawn = [part for part in self.unavailable if part.name in known]
        return msgspec.structs.replace(
            self,
            missing=(*self.missing, *(Missing(part.name, Failure("refused", part.text)) for part in withdrawn)),
            unavailable=tuple(part for part in self.unavailable if part not in withdrawn),
            empty=UNSET if withdrawn else self.empty,
        )

    def merged_with(self, earlier: Observation[T], now: float, max_age: float) -> Observation[T]:
        """Return this observation with its missing parts taken from an ``earlier`` one.

        ``now`` is the monotonic time in seconds; parts older than ``max_age`` seconds at that time are not taken.
        """
        have = {part.name for part in self.parts}
        missed = {missing.name for missing in self.missing}

        def may_exist(name: str) -> bool:
            return name not in have and (name in missed or not self.list_known)

        kept = tuple(part for part in earlier.parts if may_exist(part.name))
        have.update(part.name for part in kept)
        known = dict.fromkeys((*earlier.expired_parts, *(missing.name for missing in earlier.missing if missing.name)))
        expired = tuple(name for name in known if may_exist(name))
        list_source = self if self.list_known else earlier
        merged = msgspec.structs.replace(
            self,
            parts=self.parts + kept,
            expired_parts=expired,
            empty=list_source.empty,
            cautions=list_source.cautions,
        )
        return merged.without_expired(now, max_age)

    def without_expired(self, now: float, max_age: float) -> Observation[T]:
        """Return this observation without parts older than ``max_age`` seconds at the monotonic time ``now``."""
        if now <= self.expires_at(max_age):
            return self
        parts = tuple(part for part in self.parts if now - part.monotonic <= max_age)
        expired = tuple(part.name for part in self.parts if now - part.monotonic > max_age)
        empty = self.empty if self.empty and now - self.empty.monotonic <= max_age else UNSET
        return msgspec.structs.replace(self, parts=parts, expired_parts=self.expired_parts + expired, empty=empty)

    def expires_at(self, max_age: float) -> float:
        """Return the monotonic time at which the first part becomes older than ``max_age``; infinity without data."""
        return self.oldest + max_age

    def dated(self, now: float, wall_now: float) -> Observation[T]:
        """Return an observation of another process with monotonic times of this process.

        ``now`` is the current monotonic time and ``wall_now`` the current Unix time, both in seconds.
        """
        return self._with_times(lambda part: now - (wall_now - part.observed_at))

    def undated(self) -> Observation[T]:
        """Return this observation with monotonic times of 0, as other processes read it."""
        return self._with_times(lambda _: 0.0)

    def _with_times(self, time_of: Callable[[Part[Any]], float]) -> Observation[T]:
        parts = tuple(msgspec.structs.replace(part, monotonic=time_of(part)) for part in self.parts)
        empty = msgspec.structs.replace(self.empty, monotonic=time_of(self.empty)) if self.empty else UNSET
        return msgspec.structs.replace(self, parts=parts, empty=empty)

    @cached_property
    def oldest(self) -> float:
        """The monotonic time of the oldest part, or of an empty list; infinity without data."""
        # Cached because each scrape needs it, and thousands of parts take almost a millisecond.
        return min((part.monotonic for part in self.parts), default=self.empty.monotonic if self.empty else math.inf)

    @cached_property
    def token(self) -> object:
        """An object of this observation alone, by which what is made of it is known without keeping its data."""
        return object()
