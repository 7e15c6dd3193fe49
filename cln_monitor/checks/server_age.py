"""Servers by the age of their last check-in, their texts, and their metrics."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from cln_monitor.durations import format_age

from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State, rank
from .thresholds import Threshold, age_range

SEEN, NEVER, UNKNOWN = "seen", "never", "unknown"
"""The kinds of last check-ins: at a known time, none ever, or unknown."""


class ServerAge(NamedTuple):
    """A server with its state and its age: the seconds since its last check-in, or since its registration if none.

    ``checkin`` is the kind of last check-in. ``age`` is None if the check-in is unknown, and if a server never checked
    in and its registration date is unknown.
    """

    name: str
    age: int | None
    checkin: str
    state: State

    def __str__(self) -> str:
        """Return the server as in long output: ``192.0.2.1 (4d)``."""
        if self.checkin == SEEN:
            return f"{self.name} ({format_age(self.age or 0)})"
        since = "" if self.age is None else f", registered {format_age(self.age)} ago"
        return f"{self.name} ({self.checkin}{since})"

    @property
    def in_phrase(self) -> str:
        """The name for a phrase that already describes the check-in."""
        if self.checkin == SEEN:
            return str(self)
        return self.name if self.age is None else f"{self.name} (registered {format_age(self.age)} ago)"


Thresholds = tuple[Threshold | None, Threshold | None]
"""The thresholds for WARNING and CRITICAL."""


def age_server(
    name: str, row: Mapping[str, Any], created: float | None, now: float, thresholds: Thresholds
) -> ServerAge:
    """Return a server with its age and state; times are in Unix seconds.

    In a ``row`` without ``last_checkin`` the check-in is unknown; None means that the server never checked in.
    """
    warning, critical = thresholds
    if "last_checkin" not in row:
        return ServerAge(name, None, UNKNOWN, State.WARNING)
    since = row["last_checkin"] if row["last_checkin"] is not None else created
    checkin = NEVER if row["last_checkin"] is None else SEEN
    if since is None:  # it may have been registered just now
        return ServerAge(name, None, checkin, State.OK)
    age = max(0, int(now - since))  # clocks differ: a check-in slightly ahead of this clock counts as now
    if critical is not None and critical.is_bad(age):
        return ServerAge(name, age, checkin, State.CRITICAL)
    return ServerAge(name, age, checkin, State.WARNING if warning is not None and warning.is_bad(age) else State.OK)


def above_seconds(seconds: float) -> Threshold:
    """Return the threshold for ages above ``seconds``."""
    threshold = age_range(str(int(seconds)))
    threshold.text = format_age(seconds)
    return threshold


def stale_problems(
    servers: list[ServerAge], total: str, thresholds: Thresholds, since_registration: Thresholds
) -> list[CheckProblem]:
    """Return one problem per state and kind of check-in, CRITICAL first; ``servers`` are sorted, the oldest first.

    ``thresholds`` apply to last check-ins, and ``since_registration`` to servers that never checked in.
    """
    problems = []
    for state_, index in ((State.CRITICAL, 1), (State.WARNING, 0)):
        for checkin, threshold in ((SEEN, thresholds[index]), (NEVER, since_registration[index])):
            bad = [server for server in servers if (server.state, server.checkin) == (state_, checkin)]
            if bad and threshold is not None:
                named = name_worst([server.in_phrase for server in bad])
                problems.append(
                    CheckProblem(state_, f"{len(bad)} of {total} {_describe_silence(checkin, threshold)}: {named}")
                )
    return problems


def undated_notes(servers: list[ServerAge], total: str) -> list[str]:
    """Return a note about servers that never checked in and have no registration date, so that they may be new."""
    undated = [server.name for server in servers if server.checkin == NEVER and server.age is None]
    return [f"{len(undated)} of {total} never checked in: {name_worst(undated)}"] if undated else []


def unknown_problems(servers: list[ServerAge], total: str) -> list[CheckProblem]:
    """Return a problem about the servers with an unknown check-in that are not OK, if there are any."""
    unknown = [server.name for server in servers if server.checkin == UNKNOWN and server.state is not State.OK]
    text = f"{len(unknown)} of {total} with an unknown last check-in: {name_worst(unknown)}"
    return [CheckProblem(State.WARNING, text)] if unknown else []


def _describe_silence(checkin: str, threshold: Threshold) -> str:
    if threshold.is_plain:
        if checkin == NEVER:
            return f"never checked in, registered {threshold.description} ago"
        return f"not checked in for {threshold.description}"
    if checkin == NEVER:
        return f"never checked in, with the age of the registration {threshold.description}"
    return f"with the age of the last check-in {threshold.description}"


def oldest_first(servers: list[ServerAge]) -> list[ServerAge]:
    """Return ``servers`` sorted by age, the oldest first; those without an age count as the oldest."""
    return sorted(servers, key=lambda server: float("inf") if server.age is None else server.age, reverse=True)


def age_metrics(servers: list[ServerAge], thresholds: Thresholds) -> list[Metric]:
    """Return the numbers of servers that are stale, never checked in, or are unknown, and the oldest check-in.

    Each server is in one count only. The oldest check-in is not judged: that server may be in a note without a state.
    """
    with_checkin = [server for server in servers if server.checkin == SEEN]
    ages = [server.age for server in with_checkin if server.age is not None]
    metrics = [
        Metric("stale", sum(server.state is not State.OK for server in with_checkin)),
        Metric("never_checked_in", sum(server.checkin == NEVER for server in servers)),
        Metric("unknown_checkin", sum(server.checkin == UNKNOWN for server in servers)),
    ]
    if ages:
        metrics.append(Metric("oldest_checkin", max(ages), "s", *thresholds, is_judged=False))
    return metrics


def longest_silent(servers: list[ServerAge]) -> str:
    """Return a phrase for the server that has been silent longest, and for the number that has not checked in yet.

    ``servers`` are sorted, the oldest first.
    """
    longest = next((f", longest silent: {server}" for server in servers if server.checkin == SEEN), "")
    new = sum(server.checkin == NEVER and server.age is not None for server in servers)
    return longest + (f", {new} not checked in yet" if new else "")


def lines_of(servers: list[ServerAge], options: argparse.Namespace) -> list[str]:
    """Return a line for each server that is not OK, or with ``-v`` for all; the worst first, then the oldest."""
    shown = [server for server in servers if options.verbose or server.state is not State.OK]
    shown.sort(key=lambda server: rank(server.state), reverse=True)
    return [f"{server.state.name}: {server}" for server in shown]
