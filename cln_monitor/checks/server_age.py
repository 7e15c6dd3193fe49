"""Servers by the age of their last check-in, and how they are named in lines and figures."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from cln_monitor.durations import format_age

from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State, rank
from .thresholds import Threshold, of_age

SEEN, NEVER, UNKNOWN = "seen", "never", "unknown"
"""What is known of a last check-in: when it was, that there was none, or nothing."""


class ServerAge(NamedTuple):
    """A server as it is judged. ``age``: seconds since its last check-in, or since it was registered if it never did.

    ``checkin`` is what is known of that check-in. ``age`` is None where it is unknown, and for a server that never
    checked in and was registered nobody knows when.
    """

    name: str
    age: int | None
    checkin: str
    state: State

    def __str__(self) -> str:
        """Return it as a line names it: ``192.0.2.1 (4d)``."""
        if self.checkin == SEEN:
            return f"{self.name} ({format_age(self.age or 0)})"
        since = "" if self.age is None else f", registered {format_age(self.age)} ago"
        return f"{self.name} ({self.checkin}{since})"

    @property
    def in_phrase(self) -> str:
        """Its name behind words that say what is known of its check-in."""
        if self.checkin == SEEN:
            return str(self)
        return self.name if self.age is None else f"{self.name} (registered {format_age(self.age)} ago)"


Thresholds = tuple[Threshold | None, Threshold | None]
"""Those for WARNING and CRITICAL."""


def age_server(
    name: str, row: Mapping[str, Any], created: float | None, now: float, thresholds: Thresholds
) -> ServerAge:
    """Return a server with its age and state; times are Unix seconds.

    A ``row`` without ``last_checkin`` is of a server whose check-in is unknown; where it is null it never did.
    """
    warning, critical = thresholds
    if "last_checkin" not in row:
        return ServerAge(name, None, UNKNOWN, State.WARNING)
    seen = row["last_checkin"] if row["last_checkin"] is not None else created
    checkin = NEVER if row["last_checkin"] is None else SEEN
    if seen is None:  # whether it is late nobody can tell
        return ServerAge(name, None, checkin, State.OK)
    age = max(0, int(now - seen))  # clocks differ: a check-in a moment ahead of ours is a check-in now
    if critical is not None and critical.is_bad(age):
        return ServerAge(name, age, checkin, State.CRITICAL)
    return ServerAge(name, age, checkin, State.WARNING if warning is not None and warning.is_bad(age) else State.OK)


def of_seconds(seconds: float) -> Threshold:
    """Return the threshold that an age above ``seconds`` is bad."""
    threshold = of_age(str(int(seconds)))
    threshold.text = format_age(seconds)
    return threshold


def stale_problems(
    servers: list[ServerAge], total: str, thresholds: Thresholds, since_registration: Thresholds
) -> list[CheckProblem]:
    """Return a phrase for each way in which servers are CRITICAL or WARNING, the oldest of them first.

    The thresholds are those on last check-ins, and those of servers that never did on the time ``since_registration``.
    """
    problems = []
    for state_, index in ((State.CRITICAL, 1), (State.WARNING, 0)):
        for checkin, threshold in ((SEEN, thresholds[index]), (NEVER, since_registration[index])):
            bad = [server for server in servers if (server.state, server.checkin) == (state_, checkin)]
            if bad and threshold is not None:
                named = name_worst([server.in_phrase for server in bad])
                problems.append(
                    CheckProblem(state_, f"{len(bad)} of {total} {_what_is_wrong(checkin, threshold)}: {named}")
                )
    return problems


def undated_notes(servers: list[ServerAge], total: str) -> list[str]:
    """Return what to say of servers that never checked in and were registered nobody knows when: they may be new."""
    undated = [server.name for server in servers if server.checkin == NEVER and server.age is None]
    return [f"{len(undated)} of {total} never checked in: {name_worst(undated)}"] if undated else []


def unknown_problems(servers: list[ServerAge], total: str) -> list[CheckProblem]:
    """Return a phrase for the servers whose check-in is unknown, where there are any that matter."""
    unknown = [server.name for server in servers if server.checkin == UNKNOWN and server.state is not State.OK]
    text = f"{len(unknown)} of {total} with an unknown last check-in: {name_worst(unknown)}"
    return [CheckProblem(State.WARNING, text)] if unknown else []


def _what_is_wrong(checkin: str, threshold: Threshold) -> str:
    if checkin == NEVER:
        return f"never checked in, registered {threshold.words} ago"
    if threshold.is_plain:
        return f"not checked in for {threshold.words}"
    return f"with a last check-in of an age {threshold.words}"


def oldest_first(servers: list[ServerAge]) -> list[ServerAge]:
    """Return ``servers`` by their age; those that never checked in at an unknown time are the oldest."""
    return sorted(servers, key=lambda server: float("inf") if server.age is None else server.age, reverse=True)


def age_figures(servers: list[ServerAge], thresholds: Thresholds) -> list[Metric]:
    """Return the figures of ages: how many servers are stale, never checked in or are unknown, and the oldest check-in.

    Each is in one count alone. How bad they are the problems say: the oldest may be one that is only worth a word.
    """
    seen = [server for server in servers if server.checkin == SEEN]
    ages = [server.age for server in seen if server.age is not None]
    figures = [
        Metric("stale", sum(server.state is not State.OK for server in seen)),
        Metric("never_checked_in", sum(server.checkin == NEVER for server in servers)),
        Metric("unknown_checkin", sum(server.checkin == UNKNOWN for server in servers)),
    ]
    if ages:
        figures.append(Metric("oldest_checkin", max(ages), "s", *thresholds, is_judged=False))
    return figures


def longest_silent(servers: list[ServerAge]) -> str:
    """Return which of ``servers``, the oldest first, has been silent longest, and how many have not checked in yet."""
    longest = next((f", the longest silent is {server}" for server in servers if server.checkin == SEEN), "")
    new = sum(server.checkin == NEVER and server.age is not None for server in servers)
    return longest + (f", {new} not checked in yet" if new else "")


def lines_of(servers: list[ServerAge], options: argparse.Namespace) -> list[str]:
    """Return a line for each of ``servers`` that is not OK, or for all at ``-v``: the worst first, then the oldest."""
    shown = [server for server in servers if options.verbose or server.state is not State.OK]
    shown.sort(key=lambda server: rank(server.state), reverse=True)
    return [f"{server.state.name}: {server}" for server in shown]
