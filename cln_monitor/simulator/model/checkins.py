"""When a server checked in last: pure functions of time, O(1) for any moment.

Nothing runs between requests, so a fleet of 100 000 servers costs nothing while nobody asks. All times are
Unix seconds.
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
        """Unix seconds of the last check-in up to `now`, None when there was none."""


@dataclass(frozen=True, slots=True)
class Never(SimulatedCheckIns):
    """A server that registered and was never heard of again."""

    def last_checkin(self, now: float) -> None:
        """None, whenever one asks."""


HEALTHY: Final = Never()  # a mark, compared by identity: an agent that checks in from now on


@dataclass(frozen=True, slots=True)
class Fixed(SimulatedCheckIns):
    """One check-in at `at` and no other, also when that lies in the future."""

    at: float

    def last_checkin(self, now: float) -> float:  # noqa: ARG002 -- no moment differs from another here
        """The one check-in, whenever one asks."""
        return self.at


@dataclass(frozen=True, slots=True)
class Steady(SimulatedCheckIns):
    """An agent that checks in when it registers (`since`) and then about every `every` seconds.

    `seed` sets the phase and the jitter: a check-in comes up to an eighth of `every` late.
    """

    seed: int
    since: float
    every: int = 4 * HOUR

    def last_checkin(self, now: float) -> float | None:
        """The latest check-in up to `now`; None before the server existed."""
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
    """An agent that goes silent for good at `at`, which may lie in the future."""

    agent: SimulatedCheckIns
    at: float

    def last_checkin(self, now: float) -> float | None:
        """The agent's last check-in up to the moment it stopped."""
        return self.agent.last_checkin(min(now, self.at))


@dataclass(frozen=True, slots=True)
class Cycling(SimulatedCheckIns):
    """An agent that works for `up` seconds, is silent for `down` seconds, and so on, from `start`."""

    agent: SimulatedCheckIns
    start: float
    up: float
    down: float

    def last_checkin(self, now: float) -> float | None:
        """The agent's last check-in in a working stretch."""
        into = (now - self.start) % (self.up + self.down)
        return self.agent.last_checkin(now - max(0, into - self.up))


def model_of(last_checkin: float | SimulatedCheckIns | None, created: float, random: Random) -> SimulatedCheckIns:
    """The model that a `last_checkin` stands for, as in `Key.add_server`."""
    if last_checkin is HEALTHY:
        return Steady(random.getrandbits(32), created)
    if last_checkin is None:
        return Never()
    if isinstance(last_checkin, SimulatedCheckIns):
        return last_checkin
    return Fixed(last_checkin)


def _mixed(seed: int, turn: int) -> int:
    """64 well-mixed bits of two integers (the finaliser of splitmix64)."""
    bits = (seed * 0x9E3779B97F4A7C15 + turn * 0xD1B54A32D192ED03) & _64_BITS
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return bits ^ (bits >> 31)
