"""``check_cln_exporter``: the probes of a running cln-exporter."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from cln_monitor import policy
from cln_monitor.checks.data.exporter import index_from_exporter
from cln_monitor.checks.options import EXPORTER, TIMEOUT, UNREACHABLE_STATE, VERBOSE, Option
from cln_monitor.checks.plugin_exit import CheckError, PluginExit
from cln_monitor.checks.problems import CheckProblem, first_poll_of, phrases_of, state_of
from cln_monitor.checks.registry import Plugin
from cln_monitor.checks.result import CheckResult, Metric
from cln_monitor.checks.states import State
from cln_monitor.checks.thresholds import Threshold, age_range, pair
from cln_monitor.durations import format_age
from cln_monitor.policy import Severity


def check(options: argparse.Namespace, exit_: PluginExit, now: float) -> CheckResult:
    """Read the status of the exporter's probes and evaluate it."""
    if not options.exporter:
        raise CheckError("--exporter is required: use the URL of the exporter, for example http://127.0.0.1:10099")
    index = index_from_exporter(options, exit_)
    exit_.stage = "evaluating the result"
    return judge(index["probes"], options, now, index.get("problems") or ())


def judge(
    probes: Sequence[Mapping[str, Any]], options: argparse.Namespace, _: float, own: Sequence[Mapping[str, str]] = ()
) -> CheckResult:
    """Return the result for ``probes`` and for the exporter's ``own`` problems, each of which has a severity.

    A probe that fails or is late is WARNING; refused credentials are CRITICAL.
    """
    ages = pair(options.warning, options.critical, (None, None))
    selected = [probe for probe in probes if options.account in {None, probe["account"]}]
    problems = [problem for probe in selected if (problem := _judge_probe(probe, ages))]
    oldest = max((_age(probe) for probe in selected if probe["last_success"]), default=None)
    metrics = [Metric("probes", len(selected)), Metric("failed", len(problems))]
    if oldest is not None:
        metrics.append(Metric("oldest_success", oldest, "s", *ages))
    if not selected:
        account = f" of account {options.account}" if options.account else ""
        problems.append(CheckProblem(State.UNKNOWN, f"the exporter has no probe{account}"))
    text = _first_of(phrases_of(problems))
    if problems and selected:
        text = f"{len(problems)} of {len(selected)} probes not OK: {text}"
    elif not problems:
        text = f"all {len(selected)} probes OK, oldest success {format_age(oldest or 0)} ago"
    is_all = options.account is None
    of_exporter = [_own(problem) for problem in own if is_all or problem.get("account", "") in {"", options.account}]
    phrases = phrases_of(of_exporter)
    # The worst comes first: problems of probes may be critical, and "all probes OK" is not a problem.
    parts = [text, _first_of(phrases)] if problems else [_first_of(phrases), text]
    return CheckResult(
        text="; ".join(filter(None, parts)),
        lines=[*phrases, *(_line(probe) for probe in selected)],
        metrics=metrics,
        states=[problem.state for problem in (*problems, *of_exporter)],
    )


_MOST_NAMED = 3


def _first_of(phrases: Sequence[str]) -> str:
    more = f" and {len(phrases) - _MOST_NAMED} more" if len(phrases) > _MOST_NAMED else ""
    return f"{'; '.join(phrases[:_MOST_NAMED])}{more}"


def _own(problem: Mapping[str, str]) -> CheckProblem:
    """Return a problem of the exporter itself; an unknown severity, as of a newer exporter, is a warning."""
    severity = Severity.__members__.get(problem["severity"].upper(), Severity.WARNING)
    return CheckProblem(state_of(severity), problem["text"])


def _judge_probe(probe: Mapping[str, Any], ages: tuple[Threshold | None, Threshold | None]) -> CheckProblem | None:
    """Return the problem of ``probe``, if any, with its age, the threshold, and the error."""
    name = _name(probe)
    if probe["last_run"] is None:
        return CheckProblem(State.UNKNOWN, _not_run(probe))
    age, why = _age(probe), _why(probe)
    for state, threshold in ((State.CRITICAL, ages[1]), (State.WARNING, ages[0])):
        if threshold is not None and probe["last_success"] and threshold.is_bad(age):
            return CheckProblem(state, f"{name}: last success {format_age(age)} ago, {threshold.description}{why}")
    severity = policy.severity_of_failure(probe["failure"]["reason"]) if probe["failure"] else Severity.WARNING
    bad = state_of(severity)
    if probe["failure"] and (probe["read"] or not probe["lacking"]):
        parts = probe["read"] + probe["lacking"]
        data = f"{probe['lacking']} of {parts} parts missing" if probe["lacking"] else "showing earlier data"
        return CheckProblem(bad, f"{name} is failing, {data}{why}")
    if probe["failure"] or age > probe["max_age"]:
        status = "is failing" if probe["failure"] else "is late"
        last = f"last success {format_age(age)} ago" if probe["last_success"] else "never successful"
        return CheckProblem(bad, f"{name} {status}, no data, {last}{why}")
    return None


def _not_run(probe: Mapping[str, Any]) -> str:
    first_poll = first_poll_of(probe)
    return f"{_name(probe)} is in its {first_poll}" if first_poll else f"{_name(probe)} has not run yet"


def _why(probe: Mapping[str, Any]) -> str:
    return f": {probe['failure']['text']}" if probe["failure"] else ""


def _age(probe: Mapping[str, Any]) -> int:
    return int(probe["ages"]["last_success"] or 0)  # by the exporter's clock, as this clock may differ


def _name(probe: Mapping[str, Any]) -> str:
    return f"{probe['probe']} of {probe['account']}" if probe["account"] else f"{probe['probe']} at {probe['api']}"


def _line(probe: Mapping[str, Any]) -> str:
    if probe["last_run"] is None:
        return _not_run(probe)
    status = probe["failure"]["text"] if probe["failure"] else f"last success {format_age(_age(probe))} ago"
    return f"{_name(probe)}: {status}"


PLUGIN = Plugin(
    name="check_cln_exporter",
    purpose="Check the probes of a running cln-exporter.",
    options=(
        EXPORTER,
        Option(("-a", "--account"), "Check only the probes of this account", "NAME"),
        Option(
            ("-w", "--warning"),
            "Return WARNING if the age of a last success is outside this range",
            "RANGE",
            read=age_range,
        ),
        Option(
            ("-c", "--critical"),
            "Return CRITICAL if the age of a last success is outside this range",
            "RANGE",
            read=age_range,
        ),
        TIMEOUT,
        UNREACHABLE_STATE._replace(default=State.CRITICAL, shown_default="critical"),
        VERBOSE,
    ),
    check=check,
)
