"""The data of a run that has not ended: they are shown as they come while a probe has never been read completely."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from cln_monitor.probes import FirstPoll, Observation, Progress

_SHOW_EVERY = 1.0  # seconds; rendering the data of a large account takes a fraction of a second


class Partial(NamedTuple):
    """An ``observation`` that includes data of the run in progress; ``first_poll`` if there are no others in it."""

    observation: Observation[Any]
    first_poll: FirstPoll | None


class UnfinishedRun:
    """The data of the run in progress of a target. The target locks it.

    ``partial`` is what is shown of it, or None. It changes when :meth:`show` is called, at most once a second, so that
    nothing is rendered that no one reads.
    """

    def __init__(self) -> None:
        self.partial: Partial | None = None
        self._progress: Progress[Any] | None = None
        self._replaced: Observation[Any] | None = None
        self._shown: tuple[Progress[Any] | None, int] = (None, 0)
        self._next_show = 0.0

    def begin(self, start: Observation[Any], names: Collection[str]) -> Progress[Any]:
        """Begin a run whose list of parts has been read, and return its progress."""
        if self._progress is not None:  # of a run that a reload has replaced
            self._replaced = self._progress.observation(self._replaced)
        self._progress = Progress(start, names)
        return self._progress

    def end(self) -> None:
        """Drop the data: the run has ended, and its result contains them."""
        self._progress = self.partial = self._replaced = None

    def take_over(self, other: UnfinishedRun) -> None:
        """Show what the run of ``other`` reads, until a run of this target has read it again."""
        self.partial, self._progress, self._replaced = other.partial, other._progress, other._replaced
        self._shown, self._next_show = other._shown, other._next_show

    @property
    def first_poll(self) -> FirstPoll | None:
        """How far the run is, or None if no run is in progress."""
        return None if self._progress is None else self._progress.as_first_poll

    def has_news(self, now: float) -> bool:
        """Return whether :meth:`show` would change ``partial`` at the monotonic ``now``."""
        progress = self._progress
        if progress is None or now < self._next_show or not progress.has_parts:
            return False
        return self._shown != (progress, progress.done)

    def show(self, now: float, earlier: Observation[Any] | None, max_age: float) -> bool:
        """Update ``partial``, unless that was less than a second ago; return whether there is something new.

        ``earlier`` are the data of finished runs, none of which read all parts. Parts older than ``max_age`` seconds
        at the monotonic ``now`` are left out.
        """
        progress = self._progress
        if progress is None or not self.has_news(now):
            return False
        self._next_show, self._shown = now + _SHOW_EVERY, (progress, progress.done)
        first_poll = None if earlier is not None and earlier.has_data else progress.as_first_poll
        observation = progress.observation(self.or_replaced(earlier))
        self.partial = Partial(observation.without_expired(now, max_age), first_poll)
        return True

    def or_replaced(self, earlier: Observation[Any] | None) -> Observation[Any] | None:
        """Return ``earlier``, or if it has no data those of a first poll that a reload has replaced."""
        has_data = earlier is not None and earlier.has_data
        return earlier if has_data or self._replaced is None else self._replaced

    def expire(self, now: float, max_age: float) -> None:
        """Drop the parts older than ``max_age`` seconds at the monotonic ``now``."""
        if self.partial is not None:
            observation = self.partial.observation.without_expired(now, max_age)
            self.partial = self.partial._replace(observation=observation)
