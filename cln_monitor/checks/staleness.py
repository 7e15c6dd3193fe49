"""The evaluation of silent servers: by the policy, or by the ranges of options that replace it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from cln_monitor import policy
from cln_monitor.checkin_groups import (
    DISABLED,
    LONG_SILENT,
    SUPERSEDED,
    Row,
    Rule,
    ServerGroups,
    group_servers,
)
from cln_monitor.durations import format_age
from cln_monitor.masking import masked
from cln_monitor.registrations import Registration, find_superseded, shared_addresses

from .key_usage import name_of
from .output import name_worst
from .problems import CheckProblem
from .result import Metric
from .server_age import (
    Thresholds,
    above_seconds,
    age_metrics,
    select,
    stale_problems,
    undated_notes,
)
from .states import State
from .thresholds import Threshold, pair

_MOST_LINES = 20


class JudgedServers(NamedTuple):
    """Servers by group, with the problems, notes, and metrics about them.

    ``lines`` name the servers in the ``notes``, the first twenty of each note.
    """

    groups: ServerGroups
    problems: list[CheckProblem]
    notes: list[str]
    lines: list[str]
    metrics: list[Metric]


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


def thresholds_of(options: argparse.Namespace, stale_after: float) -> Thresholds:
    """Return the thresholds for WARNING and CRITICAL from the options, by default that of ``stale_after``."""
    return pair(options.warning, options.critical, (above_seconds(stale_after), None))


def is_by_policy(options: argparse.Namespace) -> bool:
    """Return whether the policy grades silent servers, and not the ranges of options."""
    return options.warning is None and options.critical is None


def group_rows(
    rows: Iterable[Row],
    options: argparse.Namespace,
    now: float,
    stale_after: float,
    superseded: Collection[tuple[str, str]] = (),
) -> ServerGroups:
    """Return ``rows`` by group; times are in Unix seconds."""
    warning, critical = thresholds_of(options, stale_after)
    rule = Rule(stale_after, _is_bad(warning), _is_bad(critical), is_by_policy(options))
    return group_servers(rows, rule, now, superseded)


def _is_bad(threshold: Threshold | None) -> Callable[[int], bool] | None:
    return None if threshold is None else threshold.is_bad


def judge_servers(
    groups: ServerGroups,
    options: argparse.Namespace,
    now: float,
    *,
    stale_after: float,
    total: str,
    keys: Mapping[str, Mapping[str, Any]] | None = None,
    is_account: bool = True,
) -> JudgedServers:
    """Return the evaluation of the servers in ``groups``; times are in Unix seconds.

    ``total`` is the number of servers with a noun, as in "9 KernelCare servers". ``keys`` are those that the
    servers belong to, by label; None if they are only some servers of their keys. ``is_account`` is whether they are
    all servers of the account, so that many of them falling silent is one critical problem.
    """
    thresholds = thresholds_of(options, stale_after)
    by_policy = is_by_policy(options)
    since_registration = (above_seconds(policy.NEVER_AFTER), None) if by_policy else thresholds
    at_once = (
        _at_once(groups, total, stale_after, keys, is_account=is_account) if by_policy and keys is not None else []
    )
    notes, lines = _notes(groups, total, now, stale_after)
    return JudgedServers(
        groups,
        [*at_once, *stale_problems(groups, now, total, thresholds, since_registration)],
        [*undated_notes(groups, now, total), *notes],
        lines,
        age_metrics(groups, now, thresholds),
    )


def _at_once(
    groups: ServerGroups, total: str, stale_after: float, keys: Mapping[str, Mapping[str, Any]], *, is_account: bool
) -> list[CheckProblem]:
    """Return problems that probably have one cause: whole keys, or many servers of the account, fell silent."""
    texts = []
    whole = {
        name_of(keys[label]) if label in keys else masked(label): count for label, count in groups.whole_keys if label
    }
    if len(whole) == 1:
        texts.append(f"all servers of key {next(iter(whole))} are silent")
    elif whole:
        names = [f"{name} ({count})" for name, count in whole.items()]
        texts.append(f"all servers of {len(names)} keys are silent: {name_worst(names)}")
    if is_account and policy.are_many(groups.newly, groups.judged):
        since = format_age(policy.NEWLY_SILENT + stale_after)
        texts.append(f"{groups.newly} of {total} fell silent in the last {since}")
    return [CheckProblem(State.CRITICAL, text) for text in texts]


def _notes(groups: ServerGroups, total: str, now: float, stale_after: float) -> tuple[list[str], list[str]]:
    """Return a note for the servers of each row of the policy with severity info, and lines that name them."""
    gone_after = format_age(policy.gone_after(stale_after))
    notes, lines = [], []
    for note, description, short in (
        (LONG_SILENT, f"silent for over {gone_after} and still billed", "still billed"),
        (SUPERSEDED, "superseded by a newer registration", "superseded"),
        (DISABLED, "silent on disabled keys", "key disabled"),
    ):
        noted = select(
            (one for one in groups.groups if one.note == note and (note != DISABLED or one.found != State.OK)), now
        )
        if noted.size:
            notes.append(f"{noted.size} of {total} {description}: {noted.names()}")
            lines += [f"info: {server}, {short}" for server in noted.servers[:_MOST_LINES]]
    return notes, lines
