"""Servers by the age of their last check-in, their texts, and their metrics."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import NamedTuple

from cln_monitor.checkin_groups import MOST_NAMED, NEVER, SEEN, UNKNOWN, Group, ServerGroups, age_of
from cln_monitor.durations import format_age

from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .states import State, rank
from .thresholds import Threshold, age_range


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


class Selected(NamedTuple):
    """The number of servers of some groups, and the first hundred of them, the oldest first."""

    size: int
    servers: list[ServerAge]

    def names(self) -> str:
        """Return the names of the first servers for a phrase, and how many more there are."""
        return name_worst([server.in_phrase for server in self.servers], total=self.size)


def select(groups: Iterable[Group], now: float) -> Selected:
    """Return the servers of ``groups``, with their ages at the Unix time ``now``."""
    chosen = list(groups)
    servers = sorted(((server, group) for group in chosen for server in group.servers), key=lambda pair: pair[0].order)
    return Selected(
        sum(group.size for group in chosen),
        [
            ServerAge(
                server.name,
                None if server.since is None else age_of(server.since, now),
                group.checkin,
                State(group.state),
            )
            for server, group in servers[:MOST_NAMED]
        ],
    )


def above_seconds(seconds: float) -> Threshold:
    """Return the threshold for ages above ``seconds``."""
    threshold = age_range(str(int(seconds)))
    threshold.text = format_age(seconds)
    return threshold


def stale_problems(
    groups: ServerGroups, now: float, total: str, thresholds: Thresholds, since_registration: Thresholds
) -> list[CheckProblem]:
    """Return one problem per state and kind of check-in, CRITICAL first.

    ``thresholds`` apply to last check-ins, and ``since_registration`` to servers that never checked in.
    """
    problems = []
    for state_, index in ((State.CRITICAL, 1), (State.WARNING, 0)):
        for checkin, threshold in ((SEEN, thresholds[index]), (NEVER, since_registration[index])):
            situation = (state_, checkin)
            bad = select((one for one in groups.groups if (one.state, one.checkin) == situation), now)
            if bad.size and threshold is not None:
                text = f"{bad.size} of {total} {_describe_silence(checkin, threshold)}: {bad.names()}"
                problems.append(CheckProblem(state_, text))
    return problems


def undated_notes(groups: ServerGroups, now: float, total: str) -> list[str]:
    """Return a note about servers that never checked in and have no registration date, so that they may be new."""
    undated = select((group for group in groups.groups if group.checkin == NEVER and not group.is_dated), now)
    return [f"{undated.size} of {total} never checked in: {undated.names()}"] if undated.size else []


def unknown_problems(groups: ServerGroups, now: float, total: str) -> list[CheckProblem]:
    """Return a problem about the servers with an unknown check-in that are not OK, if there are any."""
    unknown = select((group for group in groups.groups if group.checkin == UNKNOWN and group.state != State.OK), now)
    names = name_worst([server.name for server in unknown.servers], total=unknown.size)
    text = f"{unknown.size} of {total} with an unknown last check-in: {names}"
    return [CheckProblem(State.WARNING, text)] if unknown.size else []


def unknown_notes(groups: ServerGroups, now: float, total: str) -> list[str]:
    """Return a note about the servers with an unknown check-in that are OK, if there are any."""
    unknown = select((group for group in groups.groups if group.checkin == UNKNOWN and group.state == State.OK), now)
    names = name_worst([server.name for server in unknown.servers], total=unknown.size)
    return [f"{unknown.size} of {total} with an unknown last check-in: {names}"] if unknown.size else []


def _describe_silence(checkin: str, threshold: Threshold) -> str:
    if threshold.is_plain:
        if checkin == NEVER:
            return f"never checked in, registered {threshold.description} ago"
        return f"not checked in for {threshold.description}"
    if checkin == NEVER:
        return f"never checked in, with the age of the registration {threshold.description}"
    return f"with the age of the last check-in {threshold.description}"


def age_metrics(groups: ServerGroups, now: float, thresholds: Thresholds) -> list[Metric]:
    """Return the numbers of servers that are stale, never checked in, or are unknown, and the oldest check-in.

    Each server is in one count only. Superseded servers have their own metric, and servers of disabled keys have none.
    The oldest check-in is not judged: that server may be in a note without a state.
    """
    judged = [group for group in groups.groups if group.is_judged]
    metrics = [
        Metric("stale", sum(group.size for group in judged if group.checkin == SEEN and group.found != State.OK)),
        Metric("never_checked_in", sum(group.size for group in judged if group.checkin == NEVER)),
        Metric("unknown_checkin", sum(group.size for group in judged if group.checkin == UNKNOWN)),
    ]
    oldest = select((group for group in groups.groups if group.is_judged and group.checkin == SEEN), now).servers[:1]
    metrics += [Metric("oldest_checkin", server.age or 0, "s", *thresholds, is_judged=False) for server in oldest]
    return metrics


def longest_silent(groups: ServerGroups, now: float) -> str:
    """Return a phrase for the server that has been silent longest, and for the number that has not checked in yet."""
    oldest = select((group for group in groups.groups if group.checkin == SEEN), now).servers[:1]
    longest = "".join(f", longest silent: {server}" for server in oldest)
    new = sum(group.size for group in groups.groups if group.checkin == NEVER and group.is_dated)
    return longest + (f", {new} not checked in yet" if new else "")


def lines_of(groups: ServerGroups, now: float, options: argparse.Namespace) -> list[str]:
    """Return a line for each server that is not OK, or with ``-v`` for all; the worst first, then the oldest.

    After the first hundred, a line has the number of the others.
    """
    states = [state for state in State if options.verbose or state is not State.OK]
    lines, count = [], 0
    for state in sorted(states, key=rank, reverse=True):
        shown = select((group for group in groups.groups if group.state == state), now)
        count += shown.size
        lines += [f"{state.name}: {server}" for server in shown.servers]
    lines = lines[:MOST_NAMED]
    return lines + ([f"… and {count - len(lines)} more servers"] if count > len(lines) else [])
