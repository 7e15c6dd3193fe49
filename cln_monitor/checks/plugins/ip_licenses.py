"""``check_cln_ip_licenses``: unused IP licenses, and the last check-ins of the servers that use the others."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from cln_monitor import policy
from cln_monitor.checkin_groups import UNKNOWN, Row
from cln_monitor.checks.checkin_rules import (
    AGE_OPTIONS,
    IP_OPTION,
    NO_MATCH_STATE,
    is_wanted_ip,
    judge_with_host_names,
    no_match,
    normalized_ip,
    unmatched,
    with_host_name,
)
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.key_usage import counted
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.server_age import lines_of, longest_silent, unknown_problems
from cln_monitor.checks.staleness import group_rows, judge_servers
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import count_range, pair
from cln_monitor.durations import format_age

_LIST = "licenses"  # the part with the complete list; all others have check-ins


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the IP licenses of the account and evaluate them."""
    request = DataRequest("ip_licenses", form=[("ip", ip) for ip in options.ip])
    report = read_report(request, options, exit_)
    return judge_with_host_names(report, exit_, lambda report: judge(report, options, now))


def judge(report: Report, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the licenses in ``report``."""
    unused_limits = pair(options.unused_warning, options.unused_critical, (None, None))
    # Check-ins may come from an earlier run; the newer one counts.
    values = list(values_of(report, lambda _: True, newest_last=True))
    licenses = [
        row
        for value in values
        for row in value["licenses"]
        if is_wanted_ip(row["ip"], options) and (not options.license or row["license"] in options.license)
    ]
    checkins = {_id(row): row for value in values for row in value["checkins"]}
    unused = [row for row in licenses if row["registered"] is False]
    unused_long = [row for row in unused if policy.is_unused_long(row["created"], now)]
    unknown = [row for row in licenses if row["registered"] is None]
    # If CLN does not report whether a license is used, a check-in shows that it is.
    used = [row for row in licenses if row["registered"] or (row["registered"] is None and _has_checkin(checkins, row))]
    known = [row for row in used if _id(row) in checkins]
    host_names = report.get("host_names", {})
    rows = servers_by_address([(row, checkins[_id(row)]) for row in known], host_names)
    groups = group_rows(rows, options, now, report["stale_after"])
    servers = judge_servers(
        groups,
        options,
        now,
        stale_after=report["stale_after"],
        total=f"{len(rows)} licensed servers",
        keys=None if options.ip else {},
        is_account=not options.license,
    )
    is_listed = any(True for _ in values_of(report, _LIST.__eq__))
    # Missing check-ins matter only if they belong to a checked license. Data of an earlier run do not replace them
    # then, as addresses may have moved from one part to another.
    is_whole = is_listed and len(known) == len(used)
    problems = problems_of(report, _LIST.__eq__ if is_whole else lambda _: True, options, kept=is_whole)
    is_of_some = bool(options.ip or options.license)
    odd = oddities_of(report, lambda _: True)
    found = servers.problems[:]
    found += unknown_problems(groups, now, f"{len(rows)} licensed servers") if is_of_some and licenses else odd.problems
    judged = Metric("unregistered", len(unused_long), "", *unused_limits)
    notes = []
    if is_listed and (unused_long or judged.state is not State.OK):
        named = name_worst(_by_address(unused_long))
        text = f"{len(unused_long)} of {len(licenses)} licenses unused for {format_age(policy.UNUSED_AFTER)} or longer"
        text = f"{text}: {named}" if named else text
        if judged.state is State.OK:
            notes.append(text)
        else:
            found.append(CheckProblem(judged.state, text))
    without_match = [
        *unmatched("--ip", options.ip, {normalized_ip(row["ip"]) for row in licenses} if options.ip else ()),
        *unmatched("--license", options.license, {row["license"] for row in licenses}),
    ]
    if is_listed and (without_match or not licenses):
        found.append(no_match("IP license", without_match, "belongs to the account", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        total = counted(len(licenses), "IP license")
        phrases = [f"{total}, {len(unused)} unused{longest_silent(groups, now)}"]
    if unknown:
        named = name_worst(list(map(_name, unknown)))
        notes.append(f"CLN does not report whether {len(unknown)} of {len(licenses)} licenses are used: {named}")
    lines = lines_of(groups, now, options)
    return CheckResult(
        text="; ".join([*phrases, *notes, *servers.notes, *([] if is_of_some else odd.notes)]),
        lines=[
            *origin_of(report, options),
            *odd.lines,
            *lines,
            *servers.lines,
            *(f"unused: {_name(row)}" for row in unused),
            *(f"unknown: {_name(row)}" for row in unknown),
        ],
        metrics=[]
        if problems
        else [Metric("licenses", len(licenses)), Metric("unregistered", len(unused)), *_ages(servers.metrics)],
        states=[problem.state for problem in (*found, *problems)],
        names_servers=bool(lines or servers.lines or servers.notes),
    )


def _id(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["ip"], row["license"]


def _has_checkin(checkins: Mapping[tuple[str, str], Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Return whether a license has a check-in, even one at an unknown time; without one, no server uses it."""
    found = checkins.get(_id(row))
    return found is not None and found.get("last_checkin", UNKNOWN) is not None


def servers_by_address(
    pairs: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], host_names: Mapping[str, str]
) -> list[Row]:
    """Return one server per address, which may have several licenses, with the oldest of its check-ins.

    ``pairs`` are licenses with their check-ins; an unknown check-in counts as the oldest. ``host_names`` are by
    address.
    """
    by_address: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    for row, checkin in pairs:
        by_address.setdefault(row["ip"], []).append((row, checkin))
    return [
        Row(
            "",
            "",
            f"{with_host_name(ip, host_names.get(ip))} {', '.join(row['license'] for row, _ in group)}",
            checkin.get("last_checkin", UNKNOWN),
            row["created"],
        )
        for ip, group in by_address.items()
        for row, checkin in [min(group, key=_checkin_order)]
    ]


def _checkin_order(pair_: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[bool, float]:
    row, checkin = pair_
    time = checkin.get("last_checkin")
    if time is None:
        time = row["created"] if "last_checkin" in checkin else None
    return "last_checkin" in checkin, time or 0.0


def _by_address(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return each address once, with all its licenses."""
    licenses: dict[str, list[str]] = {}
    for row in rows:
        licenses.setdefault(row["ip"], []).append(row["license"])
    return [f"{ip} {' + '.join(names)}" for ip, names in licenses.items()]


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['ip']} {row['license']}"


def _ages(metrics: Iterable[Metric]) -> list[Metric]:
    return [metric for metric in metrics if metric.label in {"stale", "oldest_checkin"}]


PLUGIN = Plugin(
    name="check_cln_ip_licenses",
    purpose="Check the IP licenses of a CLN account for unused licenses and for silent servers.",
    options=(
        *AGE_OPTIONS,
        Option(
            ("--unused-warning",),
            "Return WARNING if the number of licenses unused 7 days after their creation is outside this range",
            "RANGE",
            read=count_range,
            shown_default="none",
        ),
        Option(
            ("--unused-critical",),
            "Return CRITICAL if the number of licenses unused 7 days after their creation is outside this range",
            "RANGE",
            read=count_range,
            shown_default="none",
        ),
        IP_OPTION,
        Option(
            ("--license",),
            "Check only licenses of this type, a name such as KernelCare or a number; repeatable",
            "TYPE",
            repeatable=True,
        ),
        NO_MATCH_STATE,
        *COMMON,
    ),
    check=check,
)
