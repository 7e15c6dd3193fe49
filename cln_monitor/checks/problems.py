"""What all checks make of a view before they judge its content: which parts count, and what could not be read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor import facts
from cln_monitor.durations import format_age
from cln_monitor.policy import Severity

from .data.request import View
from .output import name_worst
from .plugin_exit import CheckError
from .states import State, rank, worst

_NO_ANSWER = ("unreachable", "timeout")
_MOST_NAMED = 3
_STATES = {Severity.INFO: State.OK, Severity.WARNING: State.WARNING, Severity.CRITICAL: State.CRITICAL}


class CheckProblem(NamedTuple):
    """Something that is wrong: its ``state``, and a phrase for the first line."""

    state: State
    text: str


def state_of(severity: Severity) -> State:
    """Return the state that a severity of the policy is."""
    return _STATES[severity]


def values_of(view: View, wanted: Callable[[str], bool], *, newest_last: bool = False) -> Iterator[Any]:
    """Yield the value of each part of ``view`` whose name is ``wanted``; parts of the last run come first in a view."""
    parts = _observation(view)["parts"]
    if newest_last:
        parts = reversed(parts)
    return (part["value"] for part in parts if wanted(part["name"]))


def problems_of(
    view: View,
    wanted: Callable[[str], bool],
    options: argparse.Namespace,
    *,
    kept: bool = True,
    requested: Collection[str] = (),
) -> list[CheckProblem]:
    """Return what could not be read of the ``wanted`` parts, and that the view is too old where it is.

    ``kept``: what was seen a while before will do. Of the parts that are ``requested`` by name, what is not available
    could not be read either.
    """
    age = view["ages"]["last_run"] or 0
    if age > view["max_age"]:
        allowed = format_age(view["max_age"])
        text = f"the exporter last polled {format_age(age)} ago, its data are too old to judge (max_age {allowed})"
        return [CheckProblem(State.UNKNOWN, text)]
    missing = missing_of(view, wanted, kept=kept)
    missing += [{**each, "reason": "refused"} for each in unavailable_of(view) if each["name"] in requested]
    if not missing:
        return []
    states = [_state(each["reason"], options) for each in missing]
    first, *others = missing
    also = f"; also missing: {name_worst([_part(each) for each in others], _MOST_NAMED)}" if others else ""
    return [CheckProblem(worst(states), first["text"] + also)]


def missing_of(view: View, wanted: Callable[[str], bool], *, kept: bool = True) -> list[Mapping[str, Any]]:
    """Return the ``wanted`` parts that could not be read; where ``kept``, only those not seen a while before either."""
    _observation(view)
    of_those = [each for each in view["missing"] if not (kept and each["is_kept"])]
    return [each for each in of_those if not each["name"] or wanted(each["name"])]


def unavailable_of(view: View) -> list[Mapping[str, Any]]:
    """Return the parts that CLN does not offer to the account."""
    return list(_observation(view).get("unavailable", ()))


class Oddities(NamedTuple):
    """What is odd in answers that were read all the same: ``problems``, ``notes`` that are no problem, ``lines``."""

    problems: list[CheckProblem]
    notes: list[str]
    lines: list[str]


def oddities_of(view: View, wanted: Callable[[str], bool], *, but: Collection[str] = ()) -> Oddities:
    """Return what is odd in the list of parts and in those that are ``wanted``, the facts in ``but`` left out."""
    observation = _observation(view)
    cautions = [
        caution
        for held in (observation, *(part for part in observation["parts"] if wanted(part["name"])))
        for caution in held.get("cautions", ())
        if caution["fact"] not in but
    ]
    told = facts.phrases((each["fact"], each["names"], each.get("count", 1)) for each in cautions)
    return Oddities(
        [CheckProblem(state_of(each.severity), each.text) for each in told if each.severity is not Severity.INFO],
        [each.text for each in told if each.severity is Severity.INFO],
        [f"{each['fact']}: {name}" for each in cautions for name in each["names"]],
    )


def origin_of(view: View, options: argparse.Namespace, wanted: Callable[[str], bool] = lambda _: True) -> list[str]:
    """Return lines that tell how old what an exporter gave is, and of each of the ``wanted`` parts that is missing."""
    gaps = missing_of(view, wanted, kept=False)
    if len(gaps) == 1 and not gaps[0]["is_kept"]:
        gaps = []  # the first line says it all
    missing = [f"missing: {_part(gap)} ({gap['reason']}): {gap['text']}" for gap in gaps]
    unavailable = [f"not available: {each['what']}: {each['text']}" for each in unavailable_of(view)]
    return _age_of(view, options) + missing + unavailable


def _age_of(view: View, options: argparse.Namespace) -> list[str]:
    if not options.exporter:
        return []
    ages = view["ages"]
    line = f"seen by the exporter {format_age(ages['oldest_part'] or ages['last_run'] or 0)} ago"
    if view.get("shard"):
        line += f", which is the shard {view['shard']} and knows its part alone"
    if view["failure"]:
        line += f"; its last poll failed: {view['failure']['text']}"
    return [line]


def phrases_of(problems: Sequence[CheckProblem]) -> list[str]:
    """Return what ``problems`` say, the worst first."""
    return [problem.text for problem in sorted(problems, key=lambda problem: rank(problem.state), reverse=True)]


def _observation(view: View) -> Mapping[str, Any]:
    observation: Mapping[str, Any] | None = view["observation"]
    if observation is None:
        raise CheckError("the exporter has not polled this yet")
    return observation


def _part(gap: Mapping[str, Any]) -> str:
    return gap["name"] or "the list"


def _state(reason: str, options: argparse.Namespace) -> State:
    if reason in _NO_ANSWER:
        state: State = options.unreachable_state
        return state
    return State.UNKNOWN
