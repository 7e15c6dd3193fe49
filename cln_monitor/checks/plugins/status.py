"""``check_cln_status``: is CLN up?"""

from __future__ import annotations

import argparse

from cln_monitor.checks.data.reader import read_view
from cln_monitor.checks.data.request import DataRequest, View
from cln_monitor.checks.options import COMMON, Option
from cln_monitor.checks.output import name_worst
from cln_monitor.checks.plugin_exit import PluginExit
from cln_monitor.checks.problems import CheckProblem, oddities_of, origin_of, phrases_of, problems_of, values_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State, worst


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read the flags of CLN's services and judge them."""
    return judge(read_view(DataRequest("status", account=False), options, leave), options, now)


def judge(view: View, options: argparse.Namespace, _: float) -> CheckResult:
    """Return the verdict on the flags in ``view``: any out of its good state is WARNING unless options say else."""
    problems = problems_of(view, lambda _: True, options, kept=False)
    # What an exporter has seen before its last poll failed says nothing of how CLN is now.
    flags = [] if problems else [flag for value in values_of(view, lambda _: True) for flag in value]
    looked_at = [flag for flag in flags if flag["name"] not in options.ignore_flag]
    bad = [flag for flag in looked_at if not flag["good"]]
    states = [State.CRITICAL if flag["name"] in options.critical_flag else State.WARNING for flag in bad]
    odd = oddities_of(view, lambda _: True)
    found = [*problems, *([] if problems else odd.problems)]
    if bad:
        named = name_worst([f"{flag['name']} is {str(flag['value']).lower()}" for flag in bad], 10)
        text = f"{len(bad)} of {len(looked_at)} flags of CLN at {view['api']} bad: {named}"
        found.append(CheckProblem(worst(states), text))
    elif not looked_at and not problems:
        found.append(CheckProblem(State.UNKNOWN, "CLN shows no flag to look at"))
    good = f"all {len(looked_at)} flags of CLN at {view['api']} are good"
    return CheckResult(
        text="; ".join(phrases_of(found) or [good]),
        lines=[
            *origin_of(view, options),
            *odd.lines,
            *(f"{flag['name']}: {str(flag['value']).lower()}, {'good' if flag['good'] else 'bad'}" for flag in flags),
        ],
        figures=[Metric(flag["name"], int(flag["value"])) for flag in flags],
        states=[problem.state for problem in found],
    )


PROGRAM = Plugin(
    name="check_cln_status",
    purpose="Checks CloudLinux Network (CLN) itself: the flags of its services.",
    options=(
        Option(("--critical-flag",), "a flag whose bad state is CRITICAL; can be given again", "FLAG", repeatable=True),
        Option(("--ignore-flag",), "a flag not to look at; can be given again", "FLAG", repeatable=True),
        *COMMON,
    ),
    check=check,
)
