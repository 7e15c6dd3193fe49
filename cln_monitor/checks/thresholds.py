"""Nagios ranges whose numbers may carry units: ``1d``, ``12h:``, ``@10:20``, ``80%``."""

from __future__ import annotations

import math
from collections.abc import Callable

from nagiosplugin import Range

from cln_monitor.durations import parse_number, parse_seconds

from .plugin_exit import CheckError

_LARGEST = 1e15  # what is larger is a slip, and a number that perfdata cannot spell


class Threshold:
    """A range of good values, as given: ``1d`` is bad above a day, ``5:`` below five, ``@1:5`` from one to five."""

    def __init__(self, text: str, number: Callable[[str], float]) -> None:
        """Read ``text``, its numbers by ``number``. Raises ValueError when it is no range."""
        self.text = text.strip()
        inverted = "@" if self.text.startswith("@") else ""
        ends = self.text.removeprefix("@").split(":")
        if len(ends) > 2 or not any(ends):
            raise ValueError("no range")
        spelled = [end if end in {"", "~"} else _plain(number(end)) for end in ends]
        self.range = Range(inverted + ":".join(spelled))

    def is_bad(self, value: float) -> bool:
        """Tell whether ``value`` raises the alarm."""
        return not self.range.match(value)

    @property
    def is_plain(self) -> bool:
        """Whether a single number says it all: everything above it is bad. Nothing we measure is below zero."""
        return not self.range.invert and self.range.start <= 0 and not math.isinf(self.range.end)

    @property
    def words(self) -> str:
        """What is bad, as in ``not checked in for over 3d``."""
        if self.is_plain:
            return f"over {self.text.rpartition(':')[2]}"
        return f"in {self.text[1:]}" if self.range.invert else f"out of {self.text}"

    def is_looser_than(self, other: Threshold) -> bool:
        """Tell whether this range lets a value pass that ``other`` does not, as far as both are plain ranges."""
        if self.range.invert or other.range.invert:
            return False
        return max(self.range.start, 0) < other.range.start or bool(self.range.end > other.range.end)

    def __str__(self) -> str:
        """Return it for perfdata: a plain number where that says it all, as Icinga drops ranges."""
        if self.is_plain:
            return _plain(self.range.end)
        start = "~" if math.isinf(self.range.start) else _plain(self.range.start)
        end = "" if math.isinf(self.range.end) else _plain(self.range.end)
        return f"{'@' if self.range.invert else ''}{start}:{end}"


def of_age(text: str) -> Threshold:
    """Return the threshold on an age that ``text`` spells, in seconds. Raises ValueError."""
    try:
        threshold = Threshold(text, parse_seconds)
    except ValueError:
        raise ValueError(f"{text!r} is no range of ages, such as 1d, 12h or @1h:2h") from None
    if threshold.text.isdecimal():
        threshold.text += "s"
    return threshold


def of_percent(text: str) -> Threshold:
    """Return the threshold on a percentage that ``text`` spells. Raises ValueError."""
    try:
        return Threshold(text.replace("%", ""), parse_number)
    except ValueError:
        raise ValueError(f"{text!r} is no range of percentages, such as 80 or 80%") from None


def of_count(text: str) -> Threshold:
    """Return the threshold on a number of things that ``text`` spells. Raises ValueError."""
    try:
        return Threshold(text, parse_number)
    except ValueError:
        raise ValueError(f"{text!r} is no range of numbers, such as 0, 5 or 1:") from None


def _plain(number: float) -> str:
    if not abs(number) < _LARGEST:
        raise ValueError("not a number, or one too large")
    return str(int(number)) if float(number).is_integer() else f"{number:f}".rstrip("0")


def pair(
    warning: Threshold | None, critical: Threshold | None, defaults: tuple[Threshold | None, Threshold | None]
) -> tuple[Threshold | None, Threshold | None]:
    """Return the thresholds in force: those given, and the ``defaults`` for the others.

    A default for WARNING that a stricter CRITICAL leaves no room for is left out. Raises CheckError where a given range
    for WARNING leaves no room for itself: nobody asked for the CRITICAL beyond it to go.
    """
    if warning is not None and critical is not None:
        if warning.is_looser_than(critical):
            raise CheckError(f"the warning range {warning.text} is looser than the critical range {critical.text}")
        return warning, critical
    default_warning, default_critical = defaults
    if critical is not None and default_warning is not None and default_warning.is_looser_than(critical):
        return None, critical
    if warning is not None and default_critical is not None and warning.is_looser_than(default_critical):
        raise CheckError(
            f"the warning range {warning.text} is looser than the default of the critical range, "
            f"{default_critical.text}: give that too"
        )
    return warning or default_warning, critical or default_critical
