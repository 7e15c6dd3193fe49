"""``check_cln_exporter``: does a running cln-exporter still see what it watches?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from .ages import format_age
from .exit import Exit, Unusable
from .findings import Problem, phrases_of
from .from_exporter import ask_exporter
from .options import EXPORTER, TIMEOUT, UNREACHABLE_STATE, VERBOSE, Option
from .output import name_worst
from .program import Program
from .states import State
from .thresholds import of_age, pair
from .verdict import Figure, Verdict


def check(options: argparse.Namespace, leave: Exit, now: float) -> Verdict:
    """Read how the probes of the exporter stand and judge them."""
    if not options.exporter:
        raise Unusable("--exporter is missing: give the address of the exporter, such as http://127.0.0.1:10099")
    probes = ask_exporter(options, leave, "/api/v1/observations")["probes"]
    leave.stage = "judging what was read"
    return judge(probes, options, now)


def judge(probes: Sequence[Mapping[str, Any]], options: argparse.Namespace, now: float) -> Verdict:
    """Return the verdict on ``probes``: a failed last run is WARNING, data older than their ``max_age`` CRITICAL."""
    ages = pair(options.warning, options.critical, (None, None))
    looked_at = [probe for probe in probes if options.account in {None, probe["account"]}]
    problems = [problem for probe in looked_at if (problem := _judge_probe(probe, options, now))]
    oldest = max((_age(probe, now) for probe in looked_at if probe["last_success"]), default=None)
    figures = [Figure("probes", len(looked_at)), Figure("failed", len(problems))]
    if oldest is not None:
        figures.append(Figure("oldest_success", oldest, "s", *ages))
    if not looked_at:
        problems.append(Problem(State.UNKNOWN, "the exporter watches no such account"))
    text = name_worst(phrases_of(problems))
    if problems and looked_at:
        text = f"{len(problems)} of {len(looked_at)} probes: {text}"
    elif not problems:
        text = f"all {len(looked_at)} probes read CLN, the oldest {format_age(oldest or 0)} ago"
    return Verdict(
        text=text,
        lines=[_line(probe, now) for probe in looked_at],
        figures=figures,
        states=[problem.state for problem in problems],
    )


def _judge_probe(probe: Mapping[str, Any], options: argparse.Namespace, now: float) -> Problem | None:
    name, failure = _name(probe), probe["failure"]
    if probe["last_run"] is None:
        return Problem(State.UNKNOWN, f"{name} has not run yet")
    if probe["last_success"] is None:
        return Problem(State.CRITICAL, f"{name} never read" + (f", by {failure['reason']}" if failure else ""))
    age = _age(probe, now)
    text = f"{name} {_failed(failure)}last read {format_age(age)} ago"
    is_too_old = age > probe["max_age"] + probe["interval"]
    if is_too_old or (options.critical is not None and options.critical.is_bad(age)):
        return Problem(State.CRITICAL, text)
    if failure or (options.warning is not None and options.warning.is_bad(age)):
        return Problem(State.WARNING, text)
    return None


def _failed(failure: Mapping[str, Any] | None) -> str:
    return f"failed by {failure['reason']}, " if failure else ""


def _age(probe: Mapping[str, Any], now: float) -> int:
    return max(0, int(now - (probe["last_success"] or now)))


def _name(probe: Mapping[str, Any]) -> str:
    return f"{probe['probe']} of {probe['account']}" if probe["account"] else f"{probe['probe']} at {probe['api']}"


def _line(probe: Mapping[str, Any], now: float) -> str:
    told = probe["failure"]["text"] if probe["failure"] else f"read {format_age(_age(probe, now))} ago"
    return f"{_name(probe)}: {told}"


PROGRAM = Program(
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
