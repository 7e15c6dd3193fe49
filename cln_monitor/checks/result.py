"""Results of checks, and their evaluation by ``nagiosplugin``."""

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
_NO_LABEL = re.compile(r"[^A-Za-z0-9_]|^$")  # labels may be names from CLN with characters that cores reject
_LONGEST_LABEL = 64


class Metric(NamedTuple):
    """A number in the perfdata, with its thresholds; ``uom`` is ``s``, ``%``, or empty for a count.

    The thresholds of a metric that is not ``is_judged`` are only shown; its state comes from the check's problems.
    """

    label: str
    value: float
    uom: str = ""
    warning: Threshold | None = None
    critical: Threshold | None = None
    is_judged: bool = True

    @property
    def state(self) -> State:
        """The state of the value by the metric's thresholds."""
        if not self.is_judged:
            return State.OK
        if self.critical is not None and self.critical.is_bad(self.value):
            return State.CRITICAL
        if self.warning is not None and self.warning.is_bad(self.value):
            return State.WARNING
        return State.OK


class CheckResult(NamedTuple):
    """The result of a check: first line, long output, metrics, and the states that do not come from a metric.

    With ``names_servers``, the texts name servers with a problem, or that are mentioned for another reason.
    """

    text: str
    lines: Sequence[str] = ()
    metrics: Sequence[Metric] = ()
    states: Sequence[State] = ()
    names_servers: bool = False

    def evaluate(self) -> tuple[State, list[str]]:
        """Return the state of the check and its perfdata, one text per metric."""
        check = nagiosplugin.Check(_Metrics(self.metrics), _MetricContext("metric"))
        check()
        state = worst([*self.states, *(State(int(result.state)) for result in check.results)])
        return state, check.perfdata


class _Metrics(nagiosplugin.Resource):  # type: ignore[misc] # nagiosplugin ships no types
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self.metrics = {_NO_LABEL.sub("_", metric.label)[:_LONGEST_LABEL]: metric for metric in metrics}

    def probe(self) -> Iterator[nagiosplugin.Metric]:
        for label, metric in self.metrics.items():
            yield nagiosplugin.Metric(label, _rounded(metric.value), metric.uom, min=0, context="metric")


class _MetricContext(nagiosplugin.Context):  # type: ignore[misc] # nagiosplugin ships no types
    def evaluate(self, metric: nagiosplugin.Metric, resource: _Metrics) -> nagiosplugin.Result:
        return nagiosplugin.Result(_SERVICE_STATES[resource.metrics[metric.name].state], metric=metric)

    def performance(self, metric: nagiosplugin.Metric, resource: _Metrics) -> nagiosplugin.Performance:
        judged = resource.metrics[metric.name]
        thresholds = (judged.warning, judged.critical)
        warning, critical = ("" if threshold is None else str(threshold) for threshold in thresholds)
        return nagiosplugin.Performance(metric.name, metric.value, metric.uom, warning, critical, metric.min)


def _rounded(value: float) -> int | float:
    """Return ``value`` rounded for perfdata: cores accept neither exponents nor fifteen decimals."""
    if not math.isfinite(value):
        raise ValueError(f"the value of a metric is {value}")
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
