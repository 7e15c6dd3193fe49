"""``check_cln_status``: the flags of CLN's services."""

from __future__ import annotations

import argparse

from cln_monitor.checks.data.reader import read_report
from cln_monitor.checks.data.request import DataRequest, Report
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State, worst


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the flags of CLN's services and evaluate them."""
    return judge(read_report(DataRequest("status", account=False), options, exit_), options, now)


def judge(report: Report, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the result for the flags in ``report``: a bad flag is WARNING unless the options say otherwise."""
    problems = problems_of(report, lambda _: True, options, kept=False)
    # An exporter's data from before its last poll failed do not show the current status of CLN.
    flags = [] if problems else [flag for value in values_of(report, lambda _: True) for flag in value]
    checked = [flag for flag in flags if flag["name"] not in options.ignore_flag]
    bad = [flag for flag in checked if not flag["good"]]
    states = [State.CRITICAL if flag["name"] in options.critical_flag else State.WARNING for flag in bad]
    odd = oddities_of(report, lambda _: True)
    found = [*problems, *([] if problems else odd.problems)]
    if bad:
        named = name_worst([f"{flag['name']} is {str(flag['value']).lower()}" for flag in bad], 10)
        text = f"{len(bad)} of {len(checked)} flags of CLN at {report['api']} bad: {named}"
        found.append(CheckProblem(worst(states), text))
    elif not checked and not problems:
        found.append(CheckProblem(State.UNKNOWN, f"no flags of CLN at {report['api']} to check"))
    good = f"all {len(checked)} flags of CLN at {report['api']} good"
    return CheckResult(
        text="; ".join(phrases_of(found) or [good]),
        lines=[
            *origin_of(report, options),
            *odd.lines,
            *(f"{flag['name']}: {str(flag['value']).lower()}, {'good' if flag['good'] else 'bad'}" for flag in flags),
        ],
        metrics=[Metric(flag["name"], int(flag["value"])) for flag in flags],
        states=[problem.state for problem in found],
    )


PLUGIN = Plugin(
    name="check_cln_status",
    purpose="Check the status flags of the services of CloudLinux Network (CLN).",
    options=(
        Option(("--critical-flag",), "Return CRITICAL if this flag is bad; repeatable", "FLAG", repeatable=True),
        Option(("--ignore-flag",), "Ignore this flag; repeatable", "FLAG", repeatable=True),
        *COMMON,
    ),
    check=check,
)
