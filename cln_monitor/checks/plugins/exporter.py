"""``check_cln_exporter``: does a running cln-exporter still see what it watches?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from cln_monitor import policy
from cln_monitor.checks.data.exporter import index_from_exporter
from cln_monitor.checks.options import EXPORTER, TIMEOUT, UNREACHABLE_STATE, VERBOSE, Option
from cln_monitor.checks.plugin_exit import CheckError, PluginExit
from cln_monitor.checks.problems import CheckProblem, phrases_of, state_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import Threshold, of_age, pair
from cln_monitor.durations import format_age
from cln_monitor.policy import Severity


def check(options: argparse.Namespace, leave: PluginExit, now: float) -> CheckResult:
    """Read how the probes of the exporter stand and judge them."""
    if not options.exporter:
        raise CheckError("--exporter is missing: give the address of the exporter, such as http://127.0.0.1:10099")
    index = index_from_exporter(options, leave)
    leave.stage = "judging what was read"
    return judge(index["probes"], options, now, index.get("problems") or ())


def judge(
    probes: Sequence[Mapping[str, Any]], options: argparse.Namespace, _: float, own: Sequence[Mapping[str, str]] = ()
) -> CheckResult:
    """Return the verdict on ``probes`` and on the exporter's ``own`` problems, each of which has its severity.

    A probe that fails or is late is WARNING, refused credentials are CRITICAL.
    """
    ages = pair(options.warning, options.critical, (None, None))
    looked_at = [probe for probe in probes if options.account in {None, probe["account"]}]
    problems = [problem for probe in looked_at if (problem := _judge_probe(probe, ages))]
    oldest = max((_age(probe) for probe in looked_at if probe["last_success"]), default=None)
    figures = [Metric("probes", len(looked_at)), Metric("failed", len(problems))]
    if oldest is not None:
        figures.append(Metric("oldest_success", oldest, "s", *ages))
    if not looked_at:
        problems.append(CheckProblem(State.UNKNOWN, "the exporter watches no such account"))
    text = _first_of(phrases_of(problems))
    if problems and looked_at:
        text = f"{len(problems)} of {len(looked_at)} probes: {text}"
    elif not problems:
        text = f"all {len(looked_at)} probes read CLN, the oldest {format_age(oldest or 0)} ago"
    is_of_all = options.account is None
    of_exporter = [_own(each) for each in own if is_of_all or each.get("account", "") in {"", options.account}]
    phrases = phrases_of(of_exporter)
    # What is worse is first: problems of probes may be critical, and that all of them read CLN is none.
    parts = [text, _first_of(phrases)] if problems else [_first_of(phrases), text]
    return CheckResult(
        text="; ".join(filter(None, parts)),
        lines=[*phrases, *(_line(probe) for probe in looked_at)],
        figures=figures,
        states=[problem.state for problem in (*problems, *of_exporter)],
    )


_MOST_NAMED = 3


def _first_of(phrases: Sequence[str]) -> str:
    more = f" and {len(phrases) - _MOST_NAMED} more" if len(phrases) > _MOST_NAMED else ""
    return f"{'; '.join(phrases[:_MOST_NAMED])}{more}"


def _own(problem: Mapping[str, str]) -> CheckProblem:
    """Return a problem of the exporter itself; one of a severity that only a newer exporter knows is a warning."""
    severity = Severity.__members__.get(problem["severity"].upper(), Severity.WARNING)
    return CheckProblem(state_of(severity), problem["text"])


def _judge_probe(probe: Mapping[str, Any], ages: tuple[Threshold | None, Threshold | None]) -> CheckProblem | None:
    """Return what is wrong with ``probe``, in words: since when, what is allowed, and why."""
    name = _name(probe)
    if probe["last_run"] is None:
        return CheckProblem(State.UNKNOWN, f"{name} has not run yet")
    age, why = _age(probe), _why(probe)
    for state, threshold in ((State.CRITICAL, ages[1]), (State.WARNING, ages[0])):
        if threshold is not None and probe["last_success"] and threshold.is_bad(age):
            return CheckProblem(state, f"{name} last read {format_age(age)} ago, {threshold.words}{why}")
    severity = policy.severity_of_failure(probe["failure"]["reason"]) if probe["failure"] else Severity.WARNING
    bad = state_of(severity)
    if probe["failure"] and (probe["read"] or not probe["lacking"]):
        parts = probe["read"] + probe["lacking"]
        lacks = f"lacks {probe['lacking']} of {parts} parts" if probe["lacking"] else "shows what it read before"
        return CheckProblem(bad, f"{name} {lacks}{why}")
    if probe["failure"] or age > probe["max_age"]:
        last = f"last read {format_age(age)} ago" if probe["last_success"] else "never read"
        return CheckProblem(bad, f"{name} has nothing to show, {last}{why}")
    return None


def _why(probe: Mapping[str, Any]) -> str:
    return f" ({probe['failure']['text']})" if probe["failure"] else ""


def _age(probe: Mapping[str, Any]) -> int:
    return int(probe["ages"]["last_success"] or 0)  # by the clock of the exporter, which ours may differ from


def _name(probe: Mapping[str, Any]) -> str:
    return f"{probe['probe']} of {probe['account']}" if probe["account"] else f"{probe['probe']} at {probe['api']}"


def _line(probe: Mapping[str, Any]) -> str:
    told = probe["failure"]["text"] if probe["failure"] else f"read {format_age(_age(probe))} ago"
    return f"{_name(probe)}: {told}"


PROGRAM = Plugin(
    name="check_cln_exporter",
    purpose="Checks a running cln-exporter: whether each of its probes still reads CLN.",
    options=(
        EXPORTER,
        Option(("-a", "--account"), "look at the probes of this account alone", "NAME"),
        Option(("-w", "--warning"), "WARNING for a last success whose age is out of this range", "RANGE", read=of_age),
        Option(
            ("-c", "--critical"), "CRITICAL for a last success whose age is out of this range", "RANGE", read=of_age
        ),
        TIMEOUT,
        UNREACHABLE_STATE._replace(default=State.CRITICAL, shown_default="critical"),
        VERBOSE,
    ),
    check=check,
)
