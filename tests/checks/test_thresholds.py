"""Ranges with and without units: alerts, perfdata, and pairs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.checks.thresholds import Threshold, age_range, count_range, pair, percent_range

from .perfdata import parse_perfdata

DAY, HOUR = 86400, 3600


@pytest.mark.parametrize(
    ("text", "bad", "good", "perfdata"),
    [
        ("1d", [DAY + 1, 9e9], [0, DAY], "86400"),
        ("90", [91], [0, 90], "90"),
        ("1.5h", [5401], [5400], "5400"),
        ("0", [1], [0], "0"),
        ("0:1d", [DAY + 1], [0, DAY], "86400"),
        (":1d", [DAY + 1], [0, DAY], "86400"),
        ("~:1d", [DAY + 1], [0, DAY], "86400"),
        (" 12h ", [12 * HOUR + 1], [0], "43200"),
        ("5:", [0, 4], [5, 9e9], "5:"),
        ("1h:2h", [0, HOUR - 1, 2 * HOUR + 1], [HOUR, 2 * HOUR], "3600:7200"),
        ("@1h:2h", [HOUR, 2 * HOUR], [0, HOUR - 1, 2 * HOUR + 1], "@3600:7200"),
        ("@1d", [0, DAY], [DAY + 1], "@0:86400"),
        ("@5:", [5, 9e9], [0, 4], "@5:"),
        ("@0:", [0, 9e9], [], "@0:"),
        ("0:", [], [0, 9e9], "0:"),
        ("~:", [], [0, 9e9], "~:"),
        ("0.00001:1", [0, 2], [1], "0.00001:1"),
        ("0.5", [1], [0.5], "0.5"),
        ("1e3", [1001], [1000], "1000"),
    ],
)
def test_a_range_of_ages(text: str, bad: list[float], good: list[float], perfdata: str) -> None:
    """A range alerts outside its ends, and is a plain number in perfdata if possible."""
    threshold = age_range(text)
    assert [value for value in (*bad, *good) if threshold.is_bad(value)] == bad
    assert str(threshold) == perfdata
    assert parse_perfdata(f"age=1s;{threshold};{threshold};0")["age"].warning == perfdata


@pytest.mark.parametrize(
    ("read", "example"),
    [(age_range, "1d, 12h, or @1h:2h"), (percent_range, "80 or 80%"), (count_range, "0, 5, or 1:")],
    ids=["age", "percent", "count"],
)
@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ":", "@", "@:", "~", "~:~", "5:~", "10:5", "-5", "1:2:3", "@@5", "one", "1d:x", "5x", "--", "nan"),
        *("inf", "1:nan", "1e400", "1e99", "0x10", "10|20", "5;6", "5 6", "🚀"),
    ],
)
def test_no_range_is_told_with_what_would_be_one(read: Callable[[str], Threshold], example: str, text: str) -> None:
    """An invalid range is reported with examples."""
    with pytest.raises(ValueError, match=r"^invalid range of ") as caught:
        read(text)
    assert str(caught.value).endswith(f"s {text!r}: use for example {example}")


def test_percentages_and_counts() -> None:
    """A percent sign is optional, and only ages have units of time."""
    assert percent_range("80%").is_bad(80.1)
    assert str(percent_range("80%:90%")) == "80:90"
    assert count_range("1:").is_bad(0)
    with pytest.raises(ValueError, match="invalid range of numbers"):
        count_range("1d")


@pytest.mark.parametrize(
    ("text", "description"),
    [
        *(("3d", "over 3d"), ("0:3d", "over 3d"), ("~:3d", "over 3d"), ("259200", "over 259200s")),
        *(("5:", "outside 5:"), ("1h:2h", "outside 1h:2h"), ("@1h:2h", "inside 1h:2h"), ("@60", "inside 60")),
    ],
)
def test_a_range_in_words(text: str, description: str) -> None:
    """A range is described as in first lines."""
    assert age_range(text).description == description


@pytest.mark.parametrize(
    ("warning", "critical"),
    [("3d", "1d"), ("1d:", "3d"), ("1d:", "2d:"), ("0:", "3d"), ("~:", "3d"), ("1h:9d", "2h:5d"), ("1:", "2:")],
)
def test_a_warning_that_leaves_no_room_for_itself_is_refused(warning: str, critical: str) -> None:
    """A warning range looser than the critical range is an error."""
    with pytest.raises(CheckError, match="looser than the critical range") as caught:
        pair(age_range(warning), age_range(critical), (None, None))
    assert str(caught.value) == f"the warning range {warning} is looser than the critical range {critical}"


@pytest.mark.parametrize(
    ("warning", "critical"),
    [("1d", "3d"), ("1d", "1d"), ("~:1d", "3d"), ("1d", "~:3d"), ("@1h:2h", "3d"), ("3d", "@1h:2h"), ("2:", "1:")],
)
def test_two_that_go_together(warning: str, critical: str) -> None:
    """Equal and inverted ranges are valid pairs, and ~ is the same as 0."""
    given = age_range(warning), age_range(critical)
    assert pair(*given, (age_range("1s"), age_range("2s"))) == given


@pytest.mark.parametrize(
    ("warning", "critical", "in_force"),
    [
        (None, None, ("1d", "3d")),
        ("12h", None, ("12h", "3d")),
        ("3d", None, ("3d", "3d")),
        ("@1h:2h", None, ("@1h:2h", "3d")),
        (None, "2d", ("1d", "2d")),
        (None, "12h", (None, "12h")),
        (None, "1h:9d", (None, "1h:9d")),
    ],
)
def test_a_default_that_contradicts_what_is_given_is_left_out(
    warning: str | None, critical: str | None, in_force: tuple[str | None, str | None]
) -> None:
    """A default warning range that contradicts a given range is dropped."""
    given = [None if text is None else age_range(text) for text in (warning, critical)]
    chosen = pair(given[0], given[1], (age_range("1d"), age_range("3d")))
    assert tuple(None if each is None else each.text for each in chosen) == in_force


def test_without_defaults_nothing_alarms() -> None:
    """Without ranges and defaults there are no thresholds."""
    assert pair(None, None, (None, None)) == (None, None)


@pytest.mark.parametrize("warning", ["5d", "1h:"])
def test_a_warning_looser_than_the_default_of_critical_is_refused(warning: str) -> None:
    """A warning range looser than the default critical range is an error."""
    with pytest.raises(CheckError, match="looser than the default critical range 3d: set the critical range too"):
        pair(age_range(warning), None, (age_range("1d"), age_range("3d")))
