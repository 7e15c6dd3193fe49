"""The evaluation of silent servers: by the policy, or by the ranges of options that replace it."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.masking import masked
from cln_monitor.registrations import Registration, find_superseded, shared_addresses

from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .server_age import (
    SEEN,
    ServerAge,
    above_seconds,
    age_metrics,
    age_server,
    oldest_first,
    stale_problems,
    undated_notes,
)
from .states import State
from .thresholds import pair

_MOST_LINES = 20


class ServerRow(NamedTuple):
    """A server of ``key``: its ``row`` from CLN, its ``name`` in texts, and the Unix time of its registration if known.

    ``is_off`` is whether its key is disabled, so that nothing about it is a problem.
    """

    key: str
    name: str
    row: Mapping[str, Any]
    created: float | None
    is_off: bool = False

    @property
    def id(self) -> tuple[str, str]:
        """The key and the server id, which together are unique."""
        return self.key, self.row.get("server_id", "")


class JudgedServers(NamedTuple):
    """Servers, the oldest check-in first, with the problems, notes, and metrics about them.

    ``lines`` name the servers in the ``notes``, the first twenty of each note.
    """

    servers: list[ServerAge]
    problems: list[CheckProblem]
    notes: list[str]
    lines: list[str]
    metrics: list[Metric]
    superseded: int


def superseded_rows(
    keys: Iterable[Mapping[str, Any]], host_names: Mapping[str, str], now: float, stale_after: float
) -> Collection[tuple[str, str]]:
    """Return key and server id of each superseded server of ``keys``; ``host_names`` are by server id."""
    rows = [
        (key["key"], row) for key in keys for row in key["servers"] if row.get("last_checkin", "unknown") is not None
    ]
    shared = (
        [
            Registration(
                row["ip"],
                row.get("last_checkin"),
                row.get("created"),
                key,
                server_id=row["server_id"],
                host=host_names.get(row["server_id"], ""),
            )
            for key, row in (rows[position] for position in positions)
        ]
        for positions in shared_addresses([row["ip"] for _, row in rows])
    )
    return {(old.key, old.server_id) for old in find_superseded(shared, now, stale_after)}


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
    """Return the evaluation of ``rows``; times are in Unix seconds.

    ``total`` is the number of rows with a noun, as in "9 KernelCare servers". ``names`` are those of the keys that the
    servers belong to; None if ``rows`` are only some servers of their keys. ``is_account`` is whether ``rows`` are all
    servers of the account, so that many of them falling silent is one critical problem.
    """
    thresholds = pair(options.warning, options.critical, (above_seconds(stale_after), None))
    by_policy = options.warning is None and options.critical is None
    since_registration = (above_seconds(policy.NEVER_AFTER), None)
    aged = [
        (
            row,
            age_server(
                *(row.name, row.row, row.created, now),
                since_registration if by_policy and row.row.get("last_checkin", 0) is None else thresholds,
            ),
        )
        for row in rows
    ]
    servers, judged = [], []
    for row, server in aged:
        is_note = row.is_off or (by_policy and _is_note(row, server, superseded, stale_after))
        servers.append(server._replace(state=State.OK) if is_note else server)
        judged += [] if row.is_off or (by_policy and row.id in superseded) else [(row, server)]
    notes, lines = _notes(aged, superseded if by_policy else (), total, stale_after, by_policy=by_policy)
    shown = oldest_first(servers)
    if by_policy:
        at_once = _at_once(judged, total, now, stale_after, names, is_account=is_account) if names is not None else []
        problems = [*at_once, *stale_problems(shown, total, thresholds, since_registration)]
    else:
        problems = stale_problems(shown, total, thresholds, thresholds)
    # Superseded servers have their own metric, and servers of disabled keys have none.
    counted = {id(row) for row, _ in judged}
    metrics = age_metrics([server for row, server in aged if id(row) in counted], thresholds)
    notes = [*undated_notes(shown, total), *notes]
    return JudgedServers(shown, problems, notes, lines, metrics, _count(rows, superseded))


def _count(rows: Iterable[ServerRow], superseded: Collection[tuple[str, str]]) -> int:
    return sum(row.id in superseded and not row.is_off for row in rows)


def _is_note(row: ServerRow, server: ServerAge, superseded: Collection[tuple[str, str]], stale_after: float) -> bool:
    return server.checkin == SEEN and (row.id in superseded or (server.age or 0) > policy.gone_after(stale_after))


def _at_once(
    judged: Sequence[tuple[ServerRow, ServerAge]],
    total: str,
    now: float,
    stale_after: float,
    names: Mapping[str, str],
    *,
    is_account: bool,
) -> list[CheckProblem]:
    """Return problems that probably have one cause: whole keys, or many servers of the account, fell silent."""
    times: dict[str, list[float]] = {}
    for row, server in judged:
        if server.checkin == SEEN:
            times.setdefault(row.key, []).append(now - (server.age or 0))
    silences = {key: policy.silence_of(sorted(checkins), now, stale_after) for key, checkins in times.items()}
    newly = sum(silence.newly for silence in silences.values())
    texts = []
    whole = {
        names.get(key) or masked(key): silence.checked_in
        for key, silence in silences.items()
        if key and silence.is_whole
    }
    if len(whole) == 1:
        texts.append(f"all servers of key {next(iter(whole))} are silent")
    elif whole:
        keys = [f"{name} ({count})" for name, count in whole.items()]
        texts.append(f"all servers of {len(keys)} keys are silent: {name_worst(keys)}")
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
    """Return a note for the servers of each row of the policy with severity info, and lines that name them."""
    gone_after = policy.gone_after(stale_after)
    replaced = [server for row, server in aged if row.id in superseded and not row.is_off]
    abandoned = [
        server
        for row, server in aged
        if by_policy
        and not row.is_off
        and row.id not in superseded
        and server.checkin == SEEN
        and (server.age or 0) > gone_after
    ]
    off = [server for row, server in aged if row.is_off and server.state is not State.OK]
    notes, lines = [], []
    for servers, description, short in (
        (abandoned, f"silent for over {format_age(gone_after)} and still billed", "still billed"),
        (replaced, "superseded by a newer registration", "superseded"),
        (off, "silent on disabled keys", "key disabled"),
    ):
        if servers:
            named = oldest_first(servers)
            notes.append(f"{len(named)} of {total} {description}: {name_worst([server.in_phrase for server in named])}")
            lines += [f"info: {server}, {short}" for server in named[:_MOST_LINES]]
    return notes, lines
