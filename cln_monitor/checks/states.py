"""The four states of a check, and their order."""

from __future__ import annotations

import enum
from collections.abc import Iterable


class State(enum.IntEnum):
    """A state of a check; its value is the exit code for Nagios and Icinga."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


_FROM_BEST_TO_WORST = (State.OK, State.WARNING, State.UNKNOWN, State.CRITICAL)


def rank(state: State) -> int:
    """Return the severity of ``state`` as a number. CRITICAL is worse than UNKNOWN, which is worse than WARNING."""
    return _FROM_BEST_TO_WORST.index(state)


def worst(states: Iterable[State]) -> State:
    """Return the worst of ``states``, or OK if ``states`` is empty."""
    return max(states, key=rank, default=State.OK)
