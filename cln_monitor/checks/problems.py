"""The evaluation of a report that all checks share: which parts count, and which parts are missing."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import facts
from cln_monitor.durations import format_age
from cln_monitor.policy import Severity

from .data.request import Report
from .output import name_worst
from .plugin_exit import CheckError
from .states import State, rank, worst

_NO_ANSWER = ("unreachable", "timeout")
_MOST_NAMED = 3
_STATES = {Severity.INFO: State.OK, Severity.WARNING: State.WARNING, Severity.CRITICAL: State.CRITICAL}


class CheckProblem(NamedTuple):
    """A problem: its ``state``, and its ``text`` for the first line."""

    state: State
    text: str


def state_of(severity: Severity) -> State:
    """Return the state for a severity of the policy."""
    return _STATES[severity]


def values_of(report: Report, wanted: Callable[[str], bool], *, newest_last: bool = False) -> Iterator[Any]:
    """Yield the value of each part of ``report`` whose name is ``wanted``; parts of the last run come first."""
    parts = parts_of(report, wanted)
    return (part["value"] for part in (reversed(parts) if newest_last else parts))


def parts_of(report: Report, wanted: Callable[[str], bool]) -> list[Mapping[str, Any]]:
    """Return the parts of ``report`` whose name is ``wanted``; those of the last run come first."""
    return [part for part in _observation(report)["parts"] if wanted(part["name"])]


def problems_of(
    report: Report,
    wanted: Callable[[str], bool],
    options: argparse.Namespace,
    *,
    kept: bool = True,
    requested: Collection[str] = (),
) -> list[CheckProblem]:
    """Return a problem if any of the ``wanted`` parts is missing, or if the data in ``report`` are too old.

    With ``kept``, parts with data of an earlier run are not missing. Parts that are ``requested`` by name are missing
    if they are not available.
    """
    age = report["ages"]["last_run"] or 0
    if age > report["max_age"]:
        allowed = format_age(report["max_age"])
        text = f"data too old: the exporter last polled {format_age(age)} ago (max_age: {allowed})"
        return [CheckProblem(State.UNKNOWN, text)]
    missing = missing_of(report, wanted, kept=kept)
    missing += [{**part, "reason": "refused"} for part in unavailable_of(report) if part["name"] in requested]
    if not missing:
        return []
    states = [_state(gap["reason"], options) for gap in missing]
    first, *others = missing
    also = f"; also missing: {name_worst([_part(gap) for gap in others], _MOST_NAMED)}" if others else ""
    return [CheckProblem(worst(states), first["text"] + also)]


def missing_of(report: Report, wanted: Callable[[str], bool], *, kept: bool = True) -> list[Mapping[str, Any]]:
    """Return the ``wanted`` parts that could not be read; with ``kept``, only those without data of an earlier run."""
    _observation(report)
    gaps = [gap for gap in report["missing"] if not (kept and gap["is_kept"])]
    return [gap for gap in gaps if not gap["name"] or wanted(gap["name"])]


def unavailable_of(report: Report) -> list[Mapping[str, Any]]:
    """Return the parts that CLN does not offer to the account."""
    return list(_observation(report).get("unavailable", ()))


class Oddities(NamedTuple):
    """The cautions about a report: ``problems``, ``notes`` without a state, and ``lines`` of long output."""

    problems: list[CheckProblem]
    notes: list[str]
    lines: list[str]


def oddities_of(report: Report, wanted: Callable[[str], bool], *, but: Collection[str] = ()) -> Oddities:
    """Return the cautions about the list of parts and about the ``wanted`` parts, without the facts in ``but``."""
    observation = _observation(report)
    cautions = [
        caution
        for holder in (observation, *(part for part in observation["parts"] if wanted(part["name"])))
        for caution in holder.get("cautions", ())
        if caution["fact"] not in but
    ]
    observed = ((caution["fact"], caution["names"], caution.get("count", 1)) for caution in cautions)
    phrases = facts.phrases(observed, report["probe"])
    problems = [phrase for phrase in phrases if phrase.severity is not Severity.INFO]
    return Oddities(
        [CheckProblem(state_of(phrase.severity), phrase.text) for phrase in problems],
        [phrase.text for phrase in phrases if phrase.severity is Severity.INFO],
        [f"{caution['fact']}: {name}" for caution in cautions for name in caution["names"]],
    )


def origin_of(
    report: Report,
    options: argparse.Namespace,
    wanted: Callable[[str], bool] = lambda _: True,
    *,
    offered: Callable[[str], bool] = lambda _: True,
) -> list[str]:
    """Return the lines about the age of an exporter's data, and about each of the ``wanted`` parts that is missing.

    ``offered`` selects the parts that are mentioned if CLN does not offer them.
    """
    gaps = missing_of(report, wanted, kept=False)
    if len(gaps) == 1 and not gaps[0]["is_kept"]:
        gaps = []  # the first line has its error
    missing = [f"missing: {_part(gap)} ({gap['reason']}): {gap['text']}" for gap in gaps]
    absent = [part for part in unavailable_of(report) if offered(part["name"])]
    unavailable = [f"not available: {part['what']}: {part['text']}" for part in absent]
    if len(unavailable) > _MOST_NAMED:  # such as default ELS products that the revision of CLN does not know
        unavailable = [f"not available: {', '.join(part['what'] for part in absent)}"]
    return _age_of(report, options) + missing + unavailable


def _age_of(report: Report, options: argparse.Namespace) -> list[str]:
    if not options.exporter:
        return []
    ages = report["ages"]
    line = f"data from the exporter, {format_age(ages['oldest_part'] or ages['last_run'] or 0)} old"
    if report.get("shard"):
        line += f"; only those of shard {report['shard']}"
    if report["failure"]:
        line += f"; last poll failed: {report['failure']['text']}"
    return [line]


def first_poll_of(report: Report) -> str:
    """Return how far the first poll of an exporter is, as in "first poll: 3 of 10 keys"; empty without one."""
    progress = report.get("first_poll")
    if not progress:
        return ""
    return f"first poll: {progress['done']} of {progress['total']} {progress['noun']}{'s' * (progress['total'] != 1)}"


def phrases_of(problems: Sequence[CheckProblem]) -> list[str]:
    """Return the texts of ``problems``, the worst first."""
    return [problem.text for problem in sorted(problems, key=lambda problem: rank(problem.state), reverse=True)]


def _observation(report: Report) -> Mapping[str, Any]:
    observation: Mapping[str, Any] | None = report["observation"]
    if observation is None:
        raise CheckError(first_poll_of(report) or "no data: the exporter has not run this probe yet")
    return observation


def _part(gap: Mapping[str, Any]) -> str:
    return gap["name"] or "the list"


def _state(reason: str, options: argparse.Namespace) -> State:
    if reason in _NO_ANSWER:
        state: State = options.unreachable_state
        return state
    return State.UNKNOWN
