"""The last check-in of a server: pure functions of time, O(1) for any time.

Nothing runs between requests, so an idle fleet of 100 000 servers uses no CPU time. All times are Unix seconds.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from random import Random
from typing import Final

HOUR = 3600
DAY = 24 * HOUR
_64_BITS = (1 << 64) - 1


class SimulatedCheckIns(ABC):
    """The check-ins of one server."""

    __slots__ = ()

    @abstractmethod
    def last_checkin(self, now: float) -> float | None:
        """Return the Unix seconds of the last check-in up to `now`, or None if there was no check-in."""


@dataclass(frozen=True, slots=True)
class Never(SimulatedCheckIns):
    """A server that has registered and never checked in."""

    def last_checkin(self, now: float) -> None:
        """Return None."""


HEALTHY: Final = Never()  # a sentinel, compared by identity: an agent that checks in from now on


@dataclass(frozen=True, slots=True)
class Fixed(SimulatedCheckIns):
    """A server with a single check-in at `at`, even if that is in the future."""

    at: float

    def last_checkin(self, now: float) -> float:  # noqa: ARG002 -- the result does not depend on the time
        """Return the single check-in."""
        return self.at


@dataclass(frozen=True, slots=True)
class Steady(SimulatedCheckIns):
    """An agent that checks in when it registers (`since`), and then about every `every` seconds.

    `seed` determines the phase and the jitter: a check-in is late by up to an eighth of `every`.
    """

    seed: int
    since: float
    every: int = 4 * HOUR

    def last_checkin(self, now: float) -> float | None:
        """Return the latest check-in up to `now`, or None before the server existed."""
        if now < self.since:
            return None
        phase = _mixed(self.seed, -1) % self.every
        turn = int((now - phase) // self.every)
        at = self._at(phase, turn)
        if at > now:
            at = self._at(phase, turn - 1)
        return max(at, self.since)

    def _at(self, phase: int, turn: int) -> int:
        return phase + turn * self.every + _mixed(self.seed, turn) % (self.every // 8 + 1)


@dataclass(frozen=True, slots=True)
class Stopped(SimulatedCheckIns):
    """An agent that stops checking in at `at`, which can be in the future."""

    agent: SimulatedCheckIns
    at: float

    def last_checkin(self, now: float) -> float | None:
        """Return the agent's last check-in up to the time when it stopped."""
        return self.agent.last_checkin(min(now, self.at))


@dataclass(frozen=True, slots=True)
class Cycling(SimulatedCheckIns):
    """An agent that works for `up` seconds, is silent for `down` seconds, and so on, from `start`."""

    agent: SimulatedCheckIns
    start: float
    up: float
    down: float

    def last_checkin(self, now: float) -> float | None:
        """Return the agent's last check-in within a working period."""
        into = (now - self.start) % (self.up + self.down)
        return self.agent.last_checkin(now - max(0, into - self.up))


def model_of(last_checkin: float | SimulatedCheckIns | None, created: float, random: Random) -> SimulatedCheckIns:
    """Return the model for a `last_checkin` as in `Key.add_server`."""
    if last_checkin is HEALTHY:
        return Steady(random.getrandbits(32), created)
    if last_checkin is None:
        return Never()
    if isinstance(last_checkin, SimulatedCheckIns):
        return last_checkin
    return Fixed(last_checkin)


def _mixed(seed: int, turn: int) -> int:
    """Return 64 well-mixed bits of two integers (the finalizer of splitmix64)."""
    bits = (seed * 0x9E3779B97F4A7C15 + turn * 0xD1B54A32D192ED03) & _64_BITS
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return bits ^ (bits >> 31)
