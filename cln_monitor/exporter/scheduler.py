"""Runs APScheduler by the monotonic clock, so that setting the wall clock neither delays runs nor causes many at once.

APScheduler gets the time from ``datetime.now(timezone)``. With the time zone defined here, this returns the time of the
monotonic clock, counted from an arbitrary day.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, tzinfo

from apscheduler.triggers.base import BaseTrigger

from cln_monitor.cln import Clock

_START = datetime(2000, 1, 1)  # noqa: DTZ001 # an arbitrary origin, not a time of day
_ZERO = timedelta()
_RANDOM = random.SystemRandom()


class MonotonicTime(tzinfo):
    """A time zone in which ``datetime.now(zone)`` returns the monotonic time of ``clock``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def fromutc(self, dt: datetime) -> datetime:  # noqa: ARG002 # the wall time is ignored
        """Return the monotonic time."""
        return _START.replace(tzinfo=self) + timedelta(seconds=self._clock.monotonic())

    def now(self) -> datetime:
        """Return the monotonic time."""
        return datetime.now(self)

    def utcoffset(self, dt: datetime | None) -> timedelta:  # noqa: ARG002 # constant
        """Return zero, so that all times in the zone can be compared."""
        return _ZERO

    def dst(self, dt: datetime | None) -> timedelta:  # noqa: ARG002
        """Return zero."""
        return _ZERO

    def tzname(self, dt: datetime | None) -> str:  # noqa: ARG002
        """Return the name for debug messages of the scheduler."""
        return "monotonic"


class Every(BaseTrigger):  # type: ignore[misc] # ships no types
    """A trigger that fires every ``interval`` seconds, up to ``jitter`` seconds earlier or later.

    Missed runs are not made up for: after a pause, the next run is one interval from now.
    """

    def __init__(self, interval: float, jitter: float = 0.0) -> None:
        self.interval = interval
        self.jitter = jitter

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the time of the next run, always after ``now``."""
        wait = timedelta(seconds=self.interval + _RANDOM.uniform(-self.jitter, self.jitter))
        next_time = (previous_fire_time or now) + wait
        return next_time if next_time > now else now + wait
