"""``check_cln_ip_licenses``: which IP licences are paid for and unused, and do their servers check in?"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from cln_monitor.checks.checkin_rules import (
    AGE_OPTIONS,
    IP_OPTION,
    NO_MATCH_STATE,
    UNKNOWN,
    ServerAge,
    age_figures,
    age_server,
    is_wanted_ip,
    lines_of,
    longest_silent,
    no_match,
    oldest_first,
    spelled,
    stale_problems,
    undated_notes,
    unknown_problems,
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
from cln_monitor.checks.states import State, rank
from cln_monitor.checks.thresholds import Threshold, of_age, of_count, pair

_LIST = "licenses"  # the part that has them all, beside those that have check-ins


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read the IP licences of the account and judge them."""
    return judge(read_view(DataRequest("ip_licenses"), options, leave), options, now)


def judge(view: View, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the verdict on the licences in ``view``."""
    ages = pair(options.warning, options.critical, (of_age("1d"), of_age("3d")))
    unused_limits = pair(options.unused_warning, options.unused_critical, (of_count("0"), None))
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
    unknown = [row for row in licenses if row["registered"] is None]
    # Where CLN does not tell whether a server uses it, a check-in does.
    used = [row for row in licenses if row["registered"] or (row["registered"] is None and _has_checkin(checkins, row))]
    heard = [row for row in used if _id(row) in checkins]
    servers = one_each([(row, age_server(_name(row), checkins[_id(row)], row["created"], now, ages)) for row in heard])
    is_listed = any(True for _ in values_of(view, _LIST.__eq__))
    # Check-ins that could not be read are missed where they are of a licence that is looked at. Then what is kept of an
    # earlier run does not make up for them: addresses may have moved from one part to another since.
    is_whole = is_listed and len(heard) == len(used)
    problems = problems_of(view, _LIST.__eq__ if is_whole else lambda _: True, options, kept=is_whole)
    total = f"{len(servers)} licensed servers"
    is_of_some = bool(options.ip or options.license)
    odd = oddities_of(view, lambda _: True)
    found = stale_problems(servers, total, ages)
    found += unknown_problems(servers, total) if is_of_some and licenses else odd.problems
    figure = Metric("unregistered", len(unused), "", *unused_limits)
    if figure.state is not State.OK and is_listed:
        named = name_worst(list(map(_name, unused)))
        text = f"{len(unused)} of {len(licenses)} licences paid for and unused"
        found.append(CheckProblem(figure.state, f"{text}: {named}" if named else text))
    gone = [
        *unmatched("--ip", options.ip, {spelled(row["ip"]) for row in licenses} if options.ip else ()),
        *unmatched("--license", options.license, {row["license"] for row in licenses}),
    ]
    if is_listed and (gone or not licenses):
        found.append(no_match("IP licence", gone, "belongs to the account", options.no_match_state))
    phrases = phrases_of([*found, *problems])
    if not phrases:
        phrases = [f"{len(licenses)} IP licences, {len(unused)} of them unused{longest_silent(servers)}"]
    if unknown:
        named = name_worst(list(map(_name, unknown)))
        phrases.append(f"CLN does not tell whether {len(unknown)} of {len(licenses)} are used: {named}")
    return CheckResult(
        text="; ".join([*phrases, *undated_notes(servers, total), *([] if is_of_some else odd.notes)]),
        lines=[
            *origin_of(view, options),
            *odd.lines,
            *lines_of(servers, options),
            *(f"unused: {_name(row)}" for row in unused),
            *(f"unknown: {_name(row)}" for row in unknown),
        ],
        figures=[] if problems else [Metric("licenses", len(licenses)), figure, *_ages(servers, ages)],
        states=[problem.state for problem in (*found, *problems)],
    )


def _id(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["ip"], row["license"]


def _has_checkin(checkins: Mapping[tuple[str, str], Mapping[str, Any]], row: Mapping[str, Any]) -> bool:
    """Tell whether a licence has a check-in, be it one that nobody knows; where CLN tells none, nobody uses it."""
    found = checkins.get(_id(row))
    return found is not None and found.get("last_checkin", UNKNOWN) is not None


def one_each(aged: Iterable[tuple[Mapping[str, Any], ServerAge]]) -> list[ServerAge]:
    """Return the server of each address, which may have several licences: once, by the worst of its check-ins."""
    of_address: dict[str, list[ServerAge]] = {}
    names: dict[str, list[str]] = {}
    for row, server in aged:
        of_address.setdefault(row["ip"], []).append(server)
        names.setdefault(row["ip"], []).append(row["license"])
    worst = [
        max(servers, key=lambda server: (rank(server.state), server.age or 0))._replace(
            name=f"{ip} {', '.join(names[ip])}"
        )
        for ip, servers in of_address.items()
    ]
    return oldest_first(worst)


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['ip']} {row['license']}"


def _ages(servers: list[ServerAge], thresholds: tuple[Threshold | None, Threshold | None]) -> list[Metric]:
    return [figure for figure in age_figures(servers, thresholds) if figure.label in {"stale", "oldest_checkin"}]


PROGRAM = Plugin(
    name="check_cln_ip_licenses",
    purpose="Checks the IP licences of a CLN account: those paid for and unused, and the check-ins of the others.",
    options=(
        *AGE_OPTIONS,
        Option(
            ("--unused-warning",),
            "WARNING for a number of unused licences out of this range",
            "RANGE",
            read=of_count,
            shown_default="0",
        ),
        Option(
            ("--unused-critical",),
            "CRITICAL for a number of unused licences out of this range",
            "RANGE",
            read=of_count,
            shown_default="none",
        ),
        IP_OPTION,
        Option(
            ("--license",),
            "look at licences of this type alone, such as KernelCare, or a number; can be given again",
            "TYPE",
            repeatable=True,
        ),
        NO_MATCH_STATE,
        *COMMON,
    ),
    check=check,
)
