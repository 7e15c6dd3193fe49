"""``check_cln_ip_licenses``: which IP licenses are paid for and unused, and do their servers check in?"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from cln_monitor import policy
from cln_monitor.checks.checkin_rules import (
    AGE_OPTIONS,
    IP_OPTION,
    NO_MATCH_STATE,
    is_wanted_ip,
    named,
    no_match,
    spelled,
    unmatched,
)
from cln_monitor.checks.data.reader import read_view
from cln_monitor.checks.data.request import DataRequest, View
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.server_age import UNKNOWN, lines_of, longest_silent, unknown_problems
from cln_monitor.checks.staleness import ServerRow, judge_servers
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import of_count, pair
from cln_monitor.durations import format_age

_LIST = "licenses"  # the part that has them all, beside those that have check-ins


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read the IP licenses of the account and judge them."""
    return judge(read_view(DataRequest("ip_licenses"), options, leave), options, now)


def judge(view: View, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the verdict on the licenses in ``view``."""
    unused_limits = pair(options.unused_warning, options.unused_critical, (None, None))
    # Check-ins may be of an earlier run: of two the newer counts.
    values = list(values_of(view, lambda _: True, newest_last=True))
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
    # Where CLN does not tell whether a server uses it, a check-in does.
    used = [row for row in licenses if row["registered"] or (row["registered"] is None and _has_checkin(checkins, row))]
    heard = [row for row in used if _id(row) in checkins]
    host_names = view.get("host_names", {})
    rows = one_each([(row, checkins[_id(row)]) for row in heard], host_names)
    servers = judge_servers(
        rows,
        options,
        now,
        stale_after=view["stale_after"],
        total=f"{len(rows)} licensed servers",
        names=None if options.ip else {},
        is_account=not options.license,
    )
    is_listed = any(True for _ in values_of(view, _LIST.__eq__))
    # Check-ins that could not be read are missed where they are of a licence that is looked at. Then what is kept of an
    # earlier run does not make up for them: addresses may have moved from one part to another since.
    is_whole = is_listed and len(heard) == len(used)
    problems = problems_of(view, _LIST.__eq__ if is_whole else lambda _: True, options, kept=is_whole)
    is_of_some = bool(options.ip or options.license)
    odd = oddities_of(view, lambda _: True)
    found = servers.problems[:]
    found += (
        unknown_problems(servers.servers, f"{len(rows)} licensed servers") if is_of_some and licenses else odd.problems
    )
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
    gone = [
        *unmatched("--ip", options.ip, {spelled(row["ip"]) for row in licenses} if options.ip else ()),
        *unmatched("--license", options.license, {row["license"] for row in licenses}),
    ]
    if is_listed and (gone or not licenses):
        found.append(no_match("IP license", gone, "belongs to the account", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{len(licenses)} IP licenses, {len(unused)} of them unused{longest_silent(servers.servers)}"]
    if unknown:
        named = name_worst(list(map(_name, unknown)))
        notes.append(f"CLN does not tell whether {len(unknown)} of {len(licenses)} are used: {named}")
    return CheckResult(
        text="; ".join([*phrases, *notes, *servers.notes, *([] if is_of_some else odd.notes)]),
        lines=[
            *origin_of(view, options),
            *odd.lines,
            *lines_of(servers.servers, options),
            *servers.lines,
            *(f"unused: {_name(row)}" for row in unused),
            *(f"unknown: {_name(row)}" for row in unknown),
        ],
        figures=[]
        if problems
        else [Metric("licenses", len(licenses)), Metric("unregistered", len(unused)), *_ages(servers.figures)],
        states=[problem.state for problem in (*found, *problems)],
    )


def _id(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["ip"], row["license"]


def _has_checkin(checkins: Mapping[tuple[str, str], Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Tell whether a licence has a check-in, be it one that nobody knows; where CLN tells none, nobody uses it."""
    found = checkins.get(_id(row))
    return found is not None and found.get("last_checkin", UNKNOWN) is not None


def one_each(
    read: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]], host_names: Mapping[str, str]
) -> list[ServerRow]:
    """Return the server of each address, which may have several licenses: once, by the oldest of its check-ins.

    ``read`` are licenses and their check-ins, of which one that is unknown counts as the oldest; ``host_names`` go by
    address.
    """
    of_address: dict[str, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    for row, checkin in read:
        of_address.setdefault(row["ip"], []).append((row, checkin))
    return [
        ServerRow(
            "",
            f"{named(ip, host_names.get(ip))} {', '.join(row['license'] for row, _ in both)}",
            checkin,
            row["created"],
        )
        for ip, both in of_address.items()
        for row, checkin in [min(both, key=_age_of)]
    ]


def _age_of(read: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[bool, float]:
    row, checkin = read
    seen = checkin.get("last_checkin")
    if seen is None:
        seen = row["created"] if "last_checkin" in checkin else None
    return "last_checkin" in checkin, seen or 0.0


def _by_address(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return each address once, with its licenses."""
    licenses: dict[str, list[str]] = {}
    for row in rows:
        licenses.setdefault(row["ip"], []).append(row["license"])
    return [f"{ip} {' + '.join(names)}" for ip, names in licenses.items()]


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['ip']} {row['license']}"


def _ages(figures: Iterable[Metric]) -> list[Metric]:
    return [figure for figure in figures if figure.label in {"stale", "oldest_checkin"}]


PROGRAM = Plugin(
    name="check_cln_ip_licenses",
    purpose="Checks the IP licenses of a CLN account: those paid for and unused, and the check-ins of the others.",
    options=(
        *AGE_OPTIONS,
        Option(
            ("--unused-warning",),
            "WARNING for a number of licenses unused for 7 days after their creation out of this range",
            "RANGE",
            read=of_count,
            shown_default="none",
        ),
        Option(
            ("--unused-critical",),
            "CRITICAL for a number of licenses unused for 7 days after their creation out of this range",
            "RANGE",
            read=of_count,
            shown_default="none",
        ),
        IP_OPTION,
        Option(
            ("--license",),
            "look at licenses of this type alone, such as KernelCare, or a number; can be given again",
            "TYPE",
            repeatable=True,
        ),
        NO_MATCH_STATE,
        *COMMON,
    ),
    check=check,
)
