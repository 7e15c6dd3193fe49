"""The four states of a check, and which of two is the worse."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class State(enum.IntEnum):
    """A state, its value the exit code that Nagios and Icinga know it by."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_FROM_BEST_TO_WORST = (State.OK, State.WARNING, State.UNKNOWN, State.CRITICAL)


def rank(state: State) -> int:
    """Return how bad ``state`` is: what is known to be broken is worse than what could not be looked at."""
    return _FROM_BEST_TO_WORST.index(state)


def worst(states: Iterable[State]) -> State:
    """Return the worst of ``states``; OK when there are none."""
    return max(states, key=rank, default=State.OK)
