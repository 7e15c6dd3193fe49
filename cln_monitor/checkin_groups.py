"""Servers grouped by what their last check-in means: a verdict needs counts and the worst servers, not all of them.

The exporter groups the servers of an account, and a check those that it has read; both get equal groups. This module
has no slow imports, as each plugin run loads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from . import policy

SEEN, NEVER, UNKNOWN = "seen", "never", "unknown"
"""The kinds of last check-ins: at a known time, none ever, or unknown."""
SUPERSEDED, LONG_SILENT, DISABLED, UNTOLD = "superseded", "long_silent", "key_disabled", "untold"
"""The notes of servers that are mentioned without being a problem."""
OK, WARNING, CRITICAL = 0, 1, 2
"""The states of servers."""
MOST_NAMED = 100
"""The number of servers that a group names: its oldest check-ins or registrations."""

_MOST_GATHERED = 8 * MOST_NAMED  # before a group is sorted and cut


class Row(NamedTuple):
    """A server of the license ``key``, with its ``name`` in texts.

    ``last_checkin`` is in Unix seconds, None for never, or UNKNOWN. ``created`` is the Unix time of its registration,
    None if it is unknown. ``is_disabled`` is whether its key is disabled, so that nothing about it is a problem;
    ``is_untold`` is whether CLN reports no check-ins of its product, so that an unknown one is no problem.
    """

    key: str
    server_id: str
    name: str
    last_checkin: float | str | None
    created: float | None
    is_disabled: bool = False
    is_untold: bool = False


class Rule(NamedTuple):
    """How ages are judged: ``warning`` and ``critical`` return whether an age in whole seconds is in that state.

    ``by_policy``: the policy applies, with ``stale_after`` in seconds; its severities are in ``warning`` only.
    """

    stale_after: float
    warning: Callable[[int], bool] | None
    critical: Callable[[int], bool] | None
    by_policy: bool


class Server(NamedTuple):
    """A server of a group: its place among all servers, and the Unix time of its last check-in or registration.

    ``since`` is None if the check-in is unknown, or if a server never checked in and its registration is unknown.
    """

    number: int
    key: str
    server_id: str
    name: str
    since: float | None

    @property
    def order(self) -> tuple[float, int]:
        """The sort key for the oldest first; an unknown time counts as the oldest."""
        return (-math.inf if self.since is None else self.since, self.number)


class Group(NamedTuple):
    """The number of servers in the same situation, and the first `MOST_NAMED` of them, the oldest first.

    ``found`` is their state by their age, ``state`` the one that counts: a ``note`` is never a problem. ``is_dated``:
    the time of the last check-in or registration is known.
    """

    state: int
    found: int
    checkin: str
    is_dated: bool
    note: str
    size: int
    servers: list[Server]

    @property
    def is_judged(self) -> bool:
        """Whether the servers are in the metrics on check-ins; superseded ones have their own."""
        return self.note not in {SUPERSEDED, DISABLED}


class ServerGroups(NamedTuple):
    """All servers of a report by group.

    ``superseded`` is the number of superseded servers, ``newly`` that of newly silent ones among the ``judged``, and
    ``whole_keys`` are the keys that fell silent as a whole with their numbers of servers.
    """

    groups: list[Group]
    superseded: int
    newly: int
    judged: int
    whole_keys: list[tuple[str, int]]

    @property
    def total(self) -> int:
        """The number of all servers."""
        return sum(group.size for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        """Return the groups as JSON values, which :meth:`from_json` reads."""
        groups = [
            group._asdict() | {"servers": [server._asdict() for server in group.servers]} for group in self.groups
        ]
        return self._asdict() | {"groups": groups, "whole_keys": [list(key) for key in self.whole_keys]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ServerGroups:
        """Return the groups in ``values``. Raises KeyError and TypeError for values of another form."""
        return cls(
            groups=[
                Group(**group | {"servers": [Server(**server) for server in group["servers"]]})
                for group in values["groups"]
            ],
            superseded=values["superseded"],
            newly=values["newly"],
            judged=values["judged"],
            whole_keys=[(key, count) for key, count in values["whole_keys"]],
        )


def age_of(since: float, now: float) -> int:
    """Return the age in whole seconds of a Unix time; a time slightly ahead of ``now`` counts as now."""
    return max(0, int(now - since))


def over(seconds: float) -> Callable[[int], bool]:
    """Return the rule for ages over ``seconds``."""
    return lambda age: age > seconds


def group_servers(
    rows: Iterable[Row], rule: Rule, now: float, superseded: Collection[tuple[str, str]] = ()
) -> ServerGroups:
    """Return ``rows`` by group at the Unix time ``now``; ``superseded`` are keys and ids of superseded servers."""
    gathered: dict[tuple[int, int, str, bool, str], _Gathered] = {}
    number_superseded = newly = judged = 0
    keys: dict[str, _KeyTimes] = {}
    silent_before = now - rule.stale_after
    long_before = silent_before - policy.NEWLY_SILENT
    for number, row in enumerate(rows):
        is_superseded = bool(superseded) and (row.key, row.server_id) in superseded and not row.is_disabled
        number_superseded += is_superseded
        since, situation = _situation(row, rule, now, is_superseded=is_superseded)
        group = gathered.get(situation)
        if group is None:
            group = gathered[situation] = _Gathered()
        group.add(Server(number, row.key, row.server_id, row.name, since))
        if row.is_disabled or (rule.by_policy and is_superseded):
            continue
        judged += 1
        if situation[2] == SEEN and since is not None:
            newly += long_before <= since < silent_before
            times = keys.get(row.key)
            if times is None:
                times = keys[row.key] = _KeyTimes()
            times.count += 1
            times.newest = max(times.newest, since)
    whole = [
        (key, times.count)
        for key, times in keys.items()
        if policy.fell_silent(times.count, times.newest, now, rule.stale_after)
    ]
    groups = [Group(*situation, group.count, group.oldest()) for situation, group in gathered.items()]
    return ServerGroups(groups, number_superseded, newly, judged, whole)


def _situation(
    row: Row, rule: Rule, now: float, *, is_superseded: bool
) -> tuple[float | None, tuple[int, int, str, bool, str]]:
    """Return since when a server is silent, and the group it belongs to."""
    last = row.last_checkin
    if last == UNKNOWN:
        found, since, checkin = WARNING, None, UNKNOWN
    elif last is None:
        since, checkin = row.created, NEVER
        found = OK if since is None else _state(age_of(since, now), rule, is_never=True)
    else:
        since, checkin = float(last), SEEN
        found = _state(age_of(since, now), rule, is_never=False)
    note = ""
    if row.is_disabled:
        note = DISABLED
    elif row.is_untold and checkin == UNKNOWN:
        note = UNTOLD
    elif rule.by_policy and checkin == SEEN and since is not None:
        if is_superseded:
            note = SUPERSEDED
        elif age_of(since, now) > policy.gone_after(rule.stale_after):
            note = LONG_SILENT
    return since, (OK if note else found, found, checkin, since is not None, note)


def _state(age: int, rule: Rule, *, is_never: bool) -> int:
    if is_never and rule.by_policy:
        return WARNING if age > policy.NEVER_AFTER else OK
    if rule.critical is not None and rule.critical(age):
        return CRITICAL
    return WARNING if rule.warning is not None and rule.warning(age) else OK


class _Gathered:
    """Gathers the servers of a group, without keeping many more of them than it names."""

    def __init__(self) -> None:
        self.count = 0
        self._servers: list[Server] = []

    def add(self, server: Server) -> None:
        self.count += 1
        self._servers.append(server)
        if len(self._servers) > _MOST_GATHERED:
            self._servers = self.oldest()

    def oldest(self) -> list[Server]:
        return oldest_first(self._servers)[:MOST_NAMED]


class _KeyTimes:
    """The check-ins of a key: their number, and the newest."""

    def __init__(self) -> None:
        self.count = 0
        self.newest = -math.inf


def oldest_first(servers: Iterable[Server]) -> list[Server]:
    """Return ``servers`` sorted, the oldest first; those of the same age are in the order of the report."""
    return sorted(servers, key=lambda server: server.order)
