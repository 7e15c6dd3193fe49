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


def values_of(view: View, wanted: Callable[[str], bool], *, newest_last: bool = False) -> Iterator[Any]:
    """Yield the value of each part of ``view`` whose name is ``wanted``; parts of the last run come first in a view."""
    parts = _observation(view)["parts"]
    if newest_last:
        parts = reversed(parts)
    return (part["value"] for part in parts if wanted(part["name"]))


def problems_of(
    view: View, wanted: Callable[[str], bool], options: argparse.Namespace, *, kept: bool = True
) -> list[Problem]:
    """Return what could not be read of the ``wanted`` parts, and that the view is too old where it is.

    ``kept``: what was seen a while before will do.
    """
    age = view["ages"]["last_run"] or 0
    if age > view["max_age"]:
        allowed = format_age(view["max_age"])
        text = f"the exporter last polled {format_age(age)} ago, its data are too old to judge (max_age {allowed})"
        return [Problem(State.UNKNOWN, text)]
    missing = missing_of(view, wanted) if kept else _observation(view)["missing"]
    if not missing:
        return []
    first = missing[0]["failure"]
    states = [_state(each["failure"], options) for each in missing]
    more = f" ({len(missing) - 1} more could not be read)" if len(missing) > 1 else ""
    return [Problem(worst(states), first["text"] + more)]


def missing_of(view: View, wanted: Callable[[str], bool]) -> list[Mapping[str, Any]]:
    """Return the ``wanted`` parts that could not be read, nor were seen a while before."""
    observation = _observation(view)
    present = {part["name"] for part in observation["parts"]}
    missing = [each for each in observation["missing"] if each["name"] not in present]
    if (observation["parts"] or observation.get("empty")) and not observation["list_known"]:
        missing = [each for each in missing if each["name"]]  # what was seen before the list failed is still young
    return [each for each in missing if not each["name"] or wanted(each["name"])]


def origin_of(view: View, options: argparse.Namespace) -> list[str]:
    """Return a line that tells how old the data are that an exporter gave; none of what was read just now."""
    if not options.exporter:
        return []
    ages = view["ages"]
    line = f"seen by the exporter {format_age(ages['oldest_part'] or ages['last_run'] or 0)} ago"
    if view.get("shard"):
        line += f", which is the shard {view['shard']} and knows its part alone"
    if view["failure"]:
        line += f"; its last poll failed: {view['failure']['text']}"
    return [line]


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
