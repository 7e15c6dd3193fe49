"""What a check found, and its evaluation by ``nagiosplugin``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import nagiosplugin

from .states import State, worst
from .thresholds import Threshold

_SERVICE_STATES = {
    State.OK: nagiosplugin.Ok,
    State.WARNING: nagiosplugin.Warn,
    State.CRITICAL: nagiosplugin.Critical,
    State.UNKNOWN: nagiosplugin.Unknown,
}
_NO_LABEL = re.compile(r"[^A-Za-z0-9_]|^$")  # labels may be names that CLN gave, which cores need not take
_LONGEST_LABEL = 64


class Metric(NamedTuple):
    """A number for the perfdata; ``uom`` is ``s``, ``%`` or empty for a count; its thresholds judge it.

    Where it is not ``is_judged`` they are there to be shown alone, and other states say how bad it is.
    """

    label: str
    value: float
    uom: str = ""
    warning: Threshold | None = None
    critical: Threshold | None = None
    is_judged: bool = True

    @property
    def state(self) -> State:
        """The state that its thresholds give it."""
        if not self.is_judged:
            return State.OK
        if self.critical is not None and self.critical.is_bad(self.value):
            return State.CRITICAL
        if self.warning is not None and self.warning.is_bad(self.value):
            return State.WARNING
        return State.OK


class CheckResult(NamedTuple):
    """A first line in words, a line for each object worth naming, the figures, and states that no figure shows."""

    text: str
    lines: Sequence[str] = ()
    figures: Sequence[Metric] = ()
    states: Sequence[State] = ()

    def evaluate(self) -> tuple[State, list[str]]:
        """Return the state of the check and its perfdata, a text a figure."""
        check = nagiosplugin.Check(_Figures(self.figures), _FigureContext("figure"))
        check()
        state = worst([*self.states, *(State(int(result.state)) for result in check.results)])
        return state, check.perfdata


class _Figures(nagiosplugin.Resource):  # type: ignore[misc] # nagiosplugin ships no types
    def __init__(self, figures: Sequence[Metric]) -> None:
        self.figures = {_NO_LABEL.sub("_", figure.label)[:_LONGEST_LABEL]: figure for figure in figures}

    def probe(self) -> Iterator[nagiosplugin.Metric]:
        for label, figure in self.figures.items():
            yield nagiosplugin.Metric(label, _rounded(figure.value), figure.uom, min=0, context="figure")


class _FigureContext(nagiosplugin.Context):  # type: ignore[misc] # nagiosplugin ships no types
    def evaluate(self, metric: nagiosplugin.Metric, resource: _Figures) -> nagiosplugin.Result:
        return nagiosplugin.Result(_SERVICE_STATES[resource.figures[metric.name].state], metric=metric)

    def performance(self, metric: nagiosplugin.Metric, resource: _Figures) -> nagiosplugin.Performance:
        figure = resource.figures[metric.name]
        warning, critical = (str(each) if each is not None else "" for each in (figure.warning, figure.critical))
        return nagiosplugin.Performance(metric.name, metric.value, metric.uom, warning, critical, metric.min)


def _rounded(value: float) -> int | float:
    """Return ``value`` as perfdata can hold it: cores take neither exponents nor fifteen decimals."""
    if not math.isfinite(value):
        raise ValueError(f"a figure that is {value}")
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
