"""How APScheduler plans by the monotonic clock: setting the wall clock neither delays a run nor brings many at a time.

APScheduler asks for the time by ``datetime.now(timezone)``. With the time zone here, what it gets is no wall time but
the monotonic clock, counted from an arbitrary day.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, tzinfo

from apscheduler.triggers.base import BaseTrigger

from cln_monitor.cln import Clock

_START = datetime(2000, 1, 1)  # noqa: DTZ001 # of a clock that has nothing to do with the time of day
_NOTHING = timedelta()
_RANDOM = random.SystemRandom()


class MonotonicTime(tzinfo):
    """A time zone whose ``datetime.now(zone)`` is the monotonic time of ``clock``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fromutc(self, dt: datetime) -> datetime:  # noqa: ARG002 # the wall time, which is of no interest
        """Return the monotonic time."""
        return _START.replace(tzinfo=self) + timedelta(seconds=self._clock.monotonic())

    def now(self) -> datetime:
        """Return the monotonic time."""
        return datetime.now(self)

    def utcoffset(self, dt: datetime | None) -> timedelta:  # noqa: ARG002 # the same whenever
        """Return zero, so that all times of the zone compare with each other."""
        return _NOTHING

    def dst(self, dt: datetime | None) -> timedelta:  # noqa: ARG002
        """Return zero."""
        return _NOTHING

    def tzname(self, dt: datetime | None) -> str:  # noqa: ARG002
        """Return what debug messages of the scheduler call it."""
        return "monotonic"


class Every(BaseTrigger):  # type: ignore[misc] # ships no types
    """Fires each ``interval`` seconds, up to ``jitter`` seconds earlier or later.

    However many runs a pause has swallowed, the next one comes an interval from now: nothing is counted up.
    """

    def __init__(self, interval: float, jitter: float = 0.0) -> None:
        self.interval = interval
        self.jitter = jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the time of the next run, always after ``now``."""
        wait = timedelta(seconds=self.interval + _RANDOM.uniform(-self.jitter, self.jitter))
        following = (previous_fire_time or now) + wait
        return following if following > now else now + wait
