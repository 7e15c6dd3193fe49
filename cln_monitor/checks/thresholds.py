"""Nagios ranges whose numbers may have units: ``1d``, ``12h:``, ``@10:20``, ``80%``."""

from __future__ import annotations

import math
from collections.abc import Callable

from nagiosplugin import Range

from cln_monitor.durations import parse_number, parse_seconds

from .plugin_exit import CheckError

_LARGEST = 1e15  # larger numbers are mistakes, and perfdata cannot represent them


class Threshold:
    """A Nagios range: ``1d`` alerts above a day, ``5:`` below five, ``@1:5`` from one to five."""

    def __init__(self, text: str, number: Callable[[str], float]) -> None:
        """Parse ``text``, with ``number`` for its numbers. Raises ValueError if it is not a range."""
        self.text = text.strip()
        inverted = "@" if self.text.startswith("@") else ""
        ends = self.text.removeprefix("@").split(":")
        if len(ends) > 2 or not any(ends):
            raise ValueError("not a range")
        spelled = [end if end in {"", "~"} else _plain(number(end)) for end in ends]
        self.range = Range(inverted + ":".join(spelled))

    def is_bad(self, value: float) -> bool:
        """Return whether ``value`` raises an alert."""
        return not self.range.match(value)

    @property
    def is_plain(self) -> bool:
        """Whether the range is a single maximum; no measured value is below zero."""
        return not self.range.invert and self.range.start <= 0 and not math.isinf(self.range.end)

    @property
    def description(self) -> str:
        """The values that raise an alert, as in ``not checked in for over 3d``."""
        if self.is_plain:
            return f"over {self.text.rpartition(':')[2]}"
        return f"inside {self.text[1:]}" if self.range.invert else f"outside {self.text}"

    def is_looser_than(self, other: Threshold) -> bool:
        """Return whether this range allows a value that ``other`` does not; false if either is inverted."""
        if self.range.invert or other.range.invert:
            return False
        return max(self.range.start, 0) < other.range.start or bool(self.range.end > other.range.end)

    def __str__(self) -> str:
        """Return the range for perfdata, as a plain number if possible: Icinga drops other ranges."""
        if self.is_plain:
            return _plain(self.range.end)
        start = "~" if math.isinf(self.range.start) else _plain(self.range.start)
        end = "" if math.isinf(self.range.end) else _plain(self.range.end)
        return f"{'@' if self.range.invert else ''}{start}:{end}"


def age_range(text: str) -> Threshold:
    """Parse a range of ages such as ``1d``; the threshold is in seconds. Raises ValueError."""
    try:
        threshold = Threshold(text, parse_seconds)
    except ValueError:
        raise ValueError(f"invalid range of ages {text!r}: use for example 1d, 12h, or @1h:2h") from None
    if threshold.text.isdecimal():
        threshold.text += "s"
    return threshold


def percent_range(text: str) -> Threshold:
    """Parse a range of percentages such as ``80%``. Raises ValueError."""
    try:
        return Threshold(text.replace("%", ""), parse_number)
    except ValueError:
        raise ValueError(f"invalid range of percentages {text!r}: use for example 80 or 80%") from None


def count_range(text: str) -> Threshold:
    """Parse a range of counts such as ``5`` or ``1:``. Raises ValueError."""
    try:
        return Threshold(text, parse_number)
    except ValueError:
        raise ValueError(f"invalid range of numbers {text!r}: use for example 0, 5, or 1:") from None


def _plain(number: float) -> str:
    if not abs(number) < _LARGEST:
        raise ValueError("not a number, or too large")
    return str(int(number)) if float(number).is_integer() else f"{number:f}".rstrip("0")


def pair(
    warning: Threshold | None, critical: Threshold | None, defaults: tuple[Threshold | None, Threshold | None]
) -> tuple[Threshold | None, Threshold | None]:
    """Return the effective thresholds: ``warning`` and ``critical``, or their ``defaults`` if not set.

    A default for WARNING is dropped if it is looser than ``critical``. Raises CheckError if ``warning`` itself is
    looser than the range for CRITICAL, as it would never apply.
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
            f"the warning range {warning.text} is looser than the default critical range {default_critical.text}: "
            "set the critical range too"
        )
    return warning or default_warning, critical or default_critical
