"""``check_cln_eportal``: the servers of an ePortal that are out of date or silent."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from cln_monitor.checkin_groups import Row, Rule, ServerGroups, group_servers
from cln_monitor.checks.checkin_rules import AGE_OPTIONS, NO_MATCH_STATE, no_match
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.eportal_servers import EportalServer, lines_about, oldest_first, servers_in
from cln_monitor.checks.key_usage import counted
from cln_monitor.checks.options import EPORTAL_COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.server_age import Thresholds, age_metrics, lines_of, stale_problems, undated_notes
from cln_monitor.checks.staleness import thresholds_of
from cln_monitor.checks.states import State
from cln_monitor.durations import format_age, parse_seconds


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the servers of the ePortal and evaluate them."""
    return judge(read_report(DataRequest("eportal"), options, exit_), options, now)


def judge(report: Report, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the servers in ``report``, by their patches and by the ages of their last check-ins."""
    thresholds = thresholds_of(options, report["stale_after"])
    problems = problems_of(report, lambda _: True, options)
    fleets = list(values_of(report, lambda _: True))
    servers = [server for fleet in fleets for server in servers_in(fleet)]
    total = counted(len(servers), "server")
    odd = oddities_of(report, lambda _: True)
    groups = _groups(servers, thresholds, report["stale_after"], now)
    outdated = oldest_first((server for server in servers if server.is_updated is False), now)
    allowed = [server for server in outdated if _is_allowed(server, options.allowed_lag, now)]
    late = [server for server in outdated if not _is_allowed(server, options.allowed_lag, now)]
    found, notes = _of_patches(servers, late, len(allowed), options.allowed_lag, now)
    found += stale_problems(groups, now, total, thresholds, thresholds)
    if fleets and not servers:
        found.append(no_match("server", [], "is registered with the ePortal", options.no_match_state))
    phrases = phrases_of([*found, *odd.problems, *problems])
    silent = next(int(metric.value) for metric in age_metrics(groups, now, thresholds) if metric.label == "stale")
    if not phrases:
        up_to_date = sum(server.is_updated is True for server in servers)
        phrases = [f"{total}, {up_to_date} with the newest patch of the feed"]
    return CheckResult(
        text="; ".join([*phrases, *notes, *undated_notes(groups, now, total), *odd.notes]),
        lines=[
            *origin_of(report, options),
            *odd.lines,
            *lines_about("outdated", late, now),
            *lines_about("outdated, allowed", allowed, now),
            *lines_of(groups, now, options),
        ],
        metrics=[] if problems else _metrics(servers, silent),
        states=[problem.state for problem in (*found, *odd.problems, *problems)],
    )


def _groups(servers: Sequence[EportalServer], thresholds: Thresholds, stale_after: float, now: float) -> ServerGroups:
    """Return ``servers`` by check-in; no server counts as removed, however long it has been silent."""
    rows = (Row(server.key, server.server_id, server.name, server.last_checkin, None) for server in servers)
    bad = [None if threshold is None else threshold.is_bad for threshold in thresholds]
    return group_servers(rows, Rule(stale_after, bad[0], bad[1], by_policy=False), now)


def _is_allowed(server: EportalServer, lag: float, now: float) -> bool:
    age = server.patch_age(now)
    return server.level != 0 and age is not None and age < lag


def _of_patches(
    servers: Sequence[EportalServer], late: Sequence[EportalServer], allowed: int, lag: float, now: float
) -> tuple[list[CheckProblem], list[str]]:
    """Return the problems and the notes about servers that are out of date, and those of which that is unknown.

    ``late`` are those out of date, without the number that is ``allowed`` by ``lag`` in seconds.
    """
    total = counted(len(servers), "server")
    found: list[CheckProblem] = []
    notes: list[str] = []
    if late:
        names = name_worst([server.described(now) for server in late[:5]], total=len(late))
        lack = "does" if len(late) == 1 else "do"
        text = f"{len(late)} of {total} {lack} not have the newest patch of the feed: {names}"
        found.append(CheckProblem(State.WARNING, text))
    if allowed:
        notes.append(f"{allowed} of {total} out of date with a patch built in the last {format_age(lag)}, as allowed")
    if unknown := sum(server.is_updated is None for server in servers):
        have = "has" if unknown == 1 else "have"
        text = f"the ePortal does not say whether {unknown} of {total} {have} the newest patch"
        if unknown == len(servers):
            found.append(CheckProblem(State.UNKNOWN, text))
        else:
            notes.append(text)
    return found, notes


def _metrics(servers: Sequence[EportalServer], silent: int) -> list[Metric]:
    """Return the counts; those of updated and outdated servers only if they are known, as in the exporter's metrics."""
    updates = Counter(server.is_updated for server in servers)
    metrics = [Metric("total", len(servers))]
    if not updates[None]:
        metrics.append(Metric("updated", updates[True]))
    if updates[None] < len(servers) or not servers:
        metrics.append(Metric("outdated", updates[False]))
    return [*metrics, Metric("silent", silent)]


def _lag(text: str) -> float:
    lag = parse_seconds(text)
    if lag < 0:
        raise ValueError(f"invalid lag {text!r}: use for example 14d, or 0 for none")
    return lag


PLUGIN = Plugin(
    name="check_cln_eportal",
    purpose="Check the servers of an ePortal: whether they have the newest live patch of their feed and check in.",
    options=(
        *AGE_OPTIONS,
        Option(
            ("--allowed-lag",),
            "Allow a server to be out of date while its loaded patch was built less than this long ago, such as 14d",
            "DURATION",
            default=0.0,
            read=_lag,
            shown_default="0",
        ),
        NO_MATCH_STATE,
        *EPORTAL_COMMON,
    ),
    check=check,
)
