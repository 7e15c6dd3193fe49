"""How bad it is that servers are silent: by the policy, or by the ranges that replace it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.masking import masked

from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .server_age import (
    SEEN,
    ServerAge,
    age_figures,
    age_server,
    of_seconds,
    oldest_first,
    stale_problems,
    undated_notes,
)
from .states import State
from .thresholds import pair

_MOST_LINES = 20


class ServerRow(NamedTuple):
    """A server of the ``key`` as CLN lists it, what lines call it, and the Unix time of its registration if told.

    ``is_off``: its key is disabled, so that nothing about it is a problem.
    """

    key: str
    name: str
    row: Mapping[str, Any]
    created: float | None
    is_off: bool = False

    @property
    def id(self) -> tuple[str, str]:
        """What tells it apart."""
        return self.key, self.row.get("server_id", "")


class JudgedServers(NamedTuple):
    """Servers, the oldest check-in first, what to say of them, and their figures.

    ``lines`` name the servers that the ``notes`` are about, the first twenty of each.
    """

    servers: list[ServerAge]
    problems: list[CheckProblem]
    notes: list[str]
    lines: list[str]
    figures: list[Metric]
    superseded: int


def superseded_rows(
    keys: Iterable[Mapping[str, Any]], host_names: Mapping[str, str], now: float, stale_after: float
) -> Collection[tuple[str, str]]:
    """Return key and server id of the servers of ``keys`` that have registered anew; ``host_names`` go by server id."""
    registered = [
        (
            policy.Registration(
                row["ip"], row.get("last_checkin"), row.get("created"), key["key"], host_names.get(row["server_id"], "")
            ),
            row["server_id"],
        )
        for key in keys
        for row in key["servers"]
        if row.get("last_checkin", "unknown") is not None
    ]
    shared = policy.shared_addresses(each for each, _ in registered)
    # CLN tells minutes, so that two servers may look alike: each counts by itself.
    found = set(map(id, policy.superseded(shared, now, stale_after)))
    return {(each.key, server_id) for each, server_id in registered if id(each) in found}


def judge_servers(
    rows: Sequence[ServerRow],
    options: argparse.Namespace,
    now: float,
    *,
    stale_after: float,
    total: str,
    superseded: Collection[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
    is_account: bool = True,
) -> JudgedServers:
    """Return the verdict on ``rows``, which are ``total`` in words; times are Unix seconds.

    ``names`` are those of the keys whose servers these are; without, they are but some servers, or of no key.
    ``is_account``: they are all servers of the account, of which many can fall silent.
    """
    given = pair(options.warning, options.critical, (of_seconds(stale_after), None))
    by_policy = options.warning is None and options.critical is None
    at_birth = (of_seconds(policy.NEVER_AFTER), None)
    aged = [
        (
            each,
            age_server(
                *(each.name, each.row, each.created, now),
                at_birth if by_policy and each.row.get("last_checkin", 0) is None else given,
            ),
        )
        for each in rows
    ]
    servers, judged = [], []
    for each, server in aged:
        is_note = each.is_off or (by_policy and _is_note(each, server, superseded, stale_after))
        servers.append(server._replace(state=State.OK) if is_note else server)
        judged += [] if each.is_off or (by_policy and each.id in superseded) else [(each, server)]
    notes, lines = _notes(aged, superseded if by_policy else (), total, stale_after, by_policy=by_policy)
    shown = oldest_first(servers)
    if by_policy:
        at_once = _at_once(judged, total, now, stale_after, names, is_account=is_account) if names is not None else []
        problems = [*at_once, *stale_problems(shown, total, given, at_birth)]
    else:
        problems = stale_problems(shown, total, given, given)
    # A superseded server has a figure of its own, and nothing is said of one whose key is disabled.
    counted = {id(each) for each, _ in judged}
    figures = age_figures([server for each, server in aged if id(each) in counted], given)
    notes = [*undated_notes(shown, total), *notes]
    return JudgedServers(shown, problems, notes, lines, figures, _count(rows, superseded))


def _count(rows: Iterable[ServerRow], superseded: Collection[tuple[str, str]]) -> int:
    return sum(each.id in superseded and not each.is_off for each in rows)


def _is_note(each: ServerRow, server: ServerAge, superseded: Collection[tuple[str, str]], stale_after: float) -> bool:
    return server.checkin == SEEN and (each.id in superseded or (server.age or 0) > policy.gone_after(stale_after))


def _at_once(
    judged: Sequence[tuple[ServerRow, ServerAge]],
    total: str,
    now: float,
    stale_after: float,
    names: Mapping[str, str],
    *,
    is_account: bool,
) -> list[CheckProblem]:
    """Return a phrase for what has one cause: keys, or many servers of the account, that fell silent."""
    times: dict[str, list[float]] = {}
    for each, server in judged:
        if server.checkin == SEEN:
            times.setdefault(each.key, []).append(now - (server.age or 0))
    stands = {key: policy.silence_of(sorted(of_key), now, stale_after) for key, of_key in times.items()}
    newly = sum(each.newly for each in stands.values())
    texts = []
    whole = [
        f"{names.get(key) or masked(key)} ({each.checked_in})" for key, each in stands.items() if key and each.is_whole
    ]
    if whole:
        texts.append(f"no server of {len(whole)} key{'s' * (len(whole) > 1)} checks in any more: {name_worst(whole)}")
    if is_account and policy.are_many(newly, len(judged)):
        texts.append(f"{newly} of {total} fell silent in the last {format_age(policy.NEWLY_SILENT + stale_after)}")
    return [CheckProblem(State.CRITICAL, text) for text in texts]


def _notes(
    aged: Sequence[tuple[ServerRow, ServerAge]],
    superseded: Collection[tuple[str, str]],
    total: str,
    stale_after: float,
    *,
    by_policy: bool,
) -> tuple[list[str], list[str]]:
    """Return a phrase for the servers of each row of the policy that is worth a word, and lines that name them."""
    gone_after = policy.gone_after(stale_after)
    old = [server for each, server in aged if each.id in superseded and not each.is_off]
    gone = [
        server
        for each, server in aged
        if by_policy
        and not each.is_off
        and each.id not in superseded
        and server.checkin == SEEN
        and (server.age or 0) > gone_after
    ]
    off = [server for each, server in aged if each.is_off and server.state is not State.OK]
    notes, lines = [], []
    for servers, words, short in (
        (gone, f"silent for over {format_age(gone_after)} and still billed", "still billed"),
        (old, "superseded by a newer registration", "superseded"),
        (off, "silent on disabled keys", "key disabled"),
    ):
        if servers:
            named = oldest_first(servers)
            notes.append(f"{len(named)} of {total} {words}: {name_worst([server.in_phrase for server in named])}")
            lines += [f"info: {server}, {short}" for server in named[:_MOST_LINES]]
    return notes, lines
