"""What all checks make of a view before they judge its content: which parts count, and what could not be read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .ages import format_age
from .exit import Unusable
from .need import View
from .states import State, rank, worst

_NO_ANSWER = ("unreachable", "timeout")


class Problem(NamedTuple):
    """Something that is wrong: its ``state``, and a phrase for the first line."""

    state: State
    text: str


def values_of(view: View, wanted: Callable[[str], bool]) -> Iterator[Any]:
    """Yield the value of each part of ``view`` whose name is ``wanted``."""
    return (part["value"] for part in _observation(view)["parts"] if wanted(part["name"]))


def problems_of(view: View, wanted: Callable[[str], bool], options: argparse.Namespace, now: float) -> list[Problem]:
    """Return what could not be read of the ``wanted`` parts, and that the view is too old where it is."""
    age = now - (view["last_run"] or 0)
    if age > view["max_age"] + view["interval"]:
        text = f"the exporter last polled {format_age(age)} ago, its data are too old to judge"
        return [Problem(State.UNKNOWN, text)]
    observation = _observation(view)
    present = {part["name"] for part in observation["parts"]}
    missing = [each for each in observation["missing"] if each["name"] not in present]
    if observation["parts"] and not observation["list_known"]:
        missing = [each for each in missing if each["name"]]  # what was seen before the list failed is still young
    missing = [each for each in missing if not each["name"] or wanted(each["name"])]
    if not missing:
        return []
    first = missing[0]["failure"]
    states = [_state(each["failure"], options) for each in missing]
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return [Problem(worst(states), first["text"] + more)]


def phrases_of(problems: Sequence[Problem]) -> list[str]:
    """Return what ``problems`` say, the worst first."""
    return [problem.text for problem in sorted(problems, key=lambda problem: rank(problem.state), reverse=True)]


def _observation(view: View) -> Mapping[str, Any]:
    observation: Mapping[str, Any] | None = view["observation"]
    if observation is None:
        raise Unusable("the exporter has not polled this yet")
    return observation


def _state(failure: Mapping[str, str], options: argparse.Namespace) -> State:
    if failure["reason"] in _NO_ANSWER:
        state: State = options.unreachable_state
        return state
    return State.UNKNOWN
