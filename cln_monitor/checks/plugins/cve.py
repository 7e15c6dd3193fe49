"""``check_cln_cve``: on how many servers of an ePortal a CVE is fixed by the loaded live patch."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cln_monitor.checks.checkin_rules import NO_MATCH_STATE, no_match
from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.eportal_servers import EportalServer, lines_about, oldest_first, servers_in
from cln_monitor.checks.key_usage import counted
from cln_monitor.checks.options import EPORTAL_COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import CheckError, PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import Threshold, count_range, pair
from cln_monitor.cve_coverage import CveState, parse_cve, reason_unknown, state_of_cve

_NOT_VULNERABLE = (
    "A server without the fix in its live patch is not necessarily vulnerable: the kernel that it booted may have the "
    "fix, or never had the flaw."
)


class _Coverage(NamedTuple):
    """The servers of which it is known that a CVE is not in their patch, and those of which that is unknown."""

    cve: str
    not_fixed: list[EportalServer]
    unknown: list[EportalServer]


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the servers of the ePortal and what their patches fix, and evaluate them."""
    return judge(read_report(DataRequest("eportal"), options, exit_), options, now)


def judge(report: Report, options: argparse.Namespace, now: float) -> CheckResult:
    """Return the result for the CVEs of ``options``, by default those of the configuration, on all servers."""
    thresholds = pair(options.warning, options.critical, (count_range("0"), None))
    problems = problems_of(report, lambda _: True, options)
    fleets = list(values_of(report, lambda _: True))
    servers = [server for fleet in fleets for server in servers_in(fleet)]
    cves = list(dict.fromkeys(options.cve or [cve for fleet in fleets for cve in fleet["cves"]]))
    if fleets and not cves:
        raise CheckError("no CVE given: use --cve, or set patches.cves in the configuration")
    found: list[CheckProblem] = []
    odd = oddities_of(report, lambda _: True)
    if fleets and not servers:
        found.append(no_match("server", [], "is registered with the ePortal", options.no_match_state))
    coverage = [_coverage_of(cve, oldest_first(servers, now)) for cve in cves]
    counts = _count(servers, cves)
    metric = Metric("not_fixed", counts["not_fixed"], "", *thresholds)
    ranges = [threshold for threshold in (options.warning, options.critical) if threshold is not None]
    might_alert = _might_alert(metric, counts["unknown"])
    state = metric.state
    if might_alert or (state is State.OK and counts["unknown"] and not counts["not_fixed"]):
        state = State.UNKNOWN
    texts = [text for text in (_phrase(one, len(servers), now) for one in coverage) if text]
    notes = odd.notes
    if state is State.OK:
        notes = [*texts, *notes]
    else:
        found += [CheckProblem(state, text) for text in texts]
    if ranges and might_alert:
        found.append(CheckProblem(State.UNKNOWN, _open_question(counts, ranges)))
    phrases = phrases_of([*found, *odd.problems, *problems])
    if not phrases:
        named = name_worst(cves)
        phrases = [notes.pop(0) if texts else f"{named}: in the loaded live patch of {_all(len(servers))}"]
    metrics = [
        Metric("servers", len(servers)),
        Metric("fixed", counts["fixed"]),
        metric,
        Metric("unknown", counts["unknown"]),
    ]
    return CheckResult(
        text="; ".join([*phrases, *notes]),
        lines=[*origin_of(report, options), *odd.lines, *_lines(coverage, now)],
        metrics=[] if problems else metrics,
        states=[problem.state for problem in (*found, *odd.problems, *problems)],
    )


def _coverage_of(cve: str, servers: Sequence[EportalServer]) -> _Coverage:
    coverage = _Coverage(cve, [], [])
    for server in servers:
        state = state_of_cve(cve, server.level, server.patch)
        if state == "not_fixed":
            coverage.not_fixed.append(server)
        elif state == "unknown":
            coverage.unknown.append(server)
    return coverage


def _count(servers: Sequence[EportalServer], cves: Sequence[str]) -> Mapping[CveState, int]:
    """Return the numbers of servers: not fixed if one of ``cves`` is not, else unknown if one is, else fixed."""
    counts: dict[CveState, int] = {"not_fixed": 0, "unknown": 0, "fixed": 0}
    for server in servers:
        states = {state_of_cve(cve, server.level, server.patch) for cve in cves}
        counts[next((state for state in counts if state in states), "fixed")] += 1
    return counts


def _might_alert(metric: Metric, unknown: int) -> bool:
    """Return whether ``metric``, the number of servers known not to be fixed, only alerts with some ``unknown`` ones.

    What is not known must not turn the result good.
    """
    known = int(metric.value)
    numbers = range(known, known + unknown + 1)
    states = [metric._replace(value=number).state for number in numbers]
    return states[0] is State.OK and any(state is not State.OK for state in states)


def _open_question(counts: Mapping[CveState, int], ranges: Sequence[Threshold]) -> str:
    least, most = counts["not_fixed"], counts["not_fixed"] + counts["unknown"]
    wanted = " or ".join(threshold.description for threshold in ranges)
    return f"{least} to {most} servers lack a fix: whether that is {wanted} is unknown"


def _phrase(coverage: _Coverage, total: int, now: float) -> str:
    """Return what is not known to be fixed; empty if the CVE is fixed on all servers."""
    cve, not_fixed, unknown = coverage
    if not_fixed:
        also = f", unknown of {len(unknown)} more" if unknown else ""
        names = name_worst([server.described(now) for server in not_fixed[:5]], total=len(not_fixed))
        return f"{cve} is not in the loaded live patch of {len(not_fixed)} of {counted(total, 'server')}{also}: {names}"
    if unknown:
        names = name_worst([server.described(now) for server in unknown[:5]], total=len(unknown))
        share = f"{len(unknown)} of {counted(total, 'server')}"
        return f"whether {cve} is in the loaded live patch is unknown of {share}: {names}"
    return ""


def _all(total: int) -> str:
    return "the only server" if total == 1 else f"all {total} servers"


def _lines(coverage: Sequence[_Coverage], now: float) -> list[str]:
    lines = [_NOT_VULNERABLE] if any(one.not_fixed for one in coverage) else []
    for cve, not_fixed, unknown in coverage:
        lines += lines_about(f"{cve} not fixed", not_fixed, now)
        by_reason: defaultdict[str, list[EportalServer]] = defaultdict(list)
        for server in unknown:
            by_reason[reason_unknown(server.level, server.kernel_id, server.patch)].append(server)
        for reason, servers in by_reason.items():
            lines += lines_about(f"{cve} unknown ({reason})", servers, now)
    return lines


def _range_option(flag: str, name: str, state: str, default: Threshold | None) -> Option:
    return Option(
        (flag, name),
        f"Return {state} if the number of servers whose loaded patch lacks a fix is outside this range",
        "RANGE",
        read=count_range,
        shown_default="none" if default is None else str(default),
    )


PLUGIN = Plugin(
    name="check_cln_cve",
    purpose="Check on how many servers of an ePortal a CVE is fixed by the loaded live patch.",
    options=(
        Option(
            ("--cve",),
            "Check this CVE, such as CVE-2026-12345; repeatable",
            "ID",
            read=parse_cve,
            repeatable=True,
            shown_default="patches.cves of the configuration or exporter",
        ),
        _range_option("-w", "--warning", "WARNING", count_range("0")),
        _range_option("-c", "--critical", "CRITICAL", None),
        NO_MATCH_STATE,
        *EPORTAL_COMMON,
    ),
    check=check,
)
