"""Durations and ages: accepted and refused texts, and formatting."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cln_monitor.durations import format_age, format_duration, format_skew, parse_duration, parse_seconds

NO_DURATION = "use for example 90s, 15m, 1h30m"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1ms", 0.001),
        ("90s", 90.0),
        ("15m", 900.0),
        ("24h", 86400.0),
        ("1d", 86400.0),
        ("2w", 1209600.0),
        ("1h30m", 5400.0),
        ("1s1ms", 1.001),
        ("007s", 7.0),
        ("1.5d", 129600.0),
        (".5h", 1800.0),
    ],
)
def test_read(text: str, seconds: float) -> None:
    """A duration is one or several numbers with units."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("15", f"invalid duration '15': {NO_DURATION}; did you mean 15s or 15m?", id="no-unit"),
        pytest.param("1:30", f"invalid duration '1:30': {NO_DURATION}; did you mean 90s or 90m?", id="clock"),
        pytest.param("", f"invalid duration '': {NO_DURATION}", id="empty"),
        pytest.param("m", f"invalid duration 'm': {NO_DURATION}", id="no-number"),
        pytest.param("1 h", f"invalid duration '1 h': {NO_DURATION}", id="blank"),
        pytest.param("1,5h", f"invalid duration '1,5h': {NO_DURATION}", id="comma"),
        pytest.param("1e3s", f"invalid duration '1e3s': {NO_DURATION}", id="exponent"),
        pytest.param("0.0001ms", "invalid duration '0.0001ms': must be greater than zero", id="next-to-nothing"),
        pytest.param("-5m", f"invalid duration '-5m': {NO_DURATION}", id="negative"),
        pytest.param("15M", f"invalid duration '15M': {NO_DURATION}", id="capital"),
        pytest.param("1y", f"invalid duration '1y': {NO_DURATION}", id="unknown-unit"),
        pytest.param("15m\n", f"invalid duration '15m\\n': {NO_DURATION}", id="newline"),
        pytest.param("١٥m", f"invalid duration '١٥m': {NO_DURATION}", id="foreign-digits"),
        pytest.param("9" * 5000, f"invalid duration: {NO_DURATION}", id="five-thousand-digits"),
        pytest.param("9" * 400 + "d", f"invalid duration: {NO_DURATION}", id="four-hundred-digits"),
        pytest.param("pl4nted-secret-key", f"invalid duration: {NO_DURATION}", id="secret-in-the-wrong-place"),
        pytest.param("0s", "invalid duration '0s': must be greater than zero", id="zero"),
        pytest.param("9999w", "invalid duration '9999w': must not exceed 10 years", id="too-long"),
    ],
)
def test_refused(text: str, complaint: str) -> None:
    """An invalid duration is refused with an example."""
    with pytest.raises(ValueError, match=re.escape(complaint) + r"\Z"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "200ms"),
        (1.001, "1001ms"),
        (90.0, "90s"),
        (900.0, "15m"),
        (5400.0, "90m"),
        (86400.0, "1d"),
        (604800, "1w"),
    ],
)
def test_shown(seconds: float, text: str) -> None:
    """A duration is shown in the largest unit of which it is a whole multiple."""
    assert format_duration(seconds) == text


@settings(max_examples=100)
@given(st.integers(min_value=1, max_value=3653 * 86_400_000))
def test_what_is_shown_is_read_again(milliseconds: int) -> None:
    """Any duration that is shown is read as the same number of seconds."""
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0s"), (0, "0s"), (60, "1m"), (61, "61s"), (119.9, "119s"), (120, "2m"), (3599, "59m"), (3600, "1h")),
        *((3601, "60m"), (7000, "116m"), (7200, "2h"), (86400, "1d"), (26 * 3600, "26h")),
        *((48 * 3600 - 1, "47h"), (48 * 3600, "2d"), (9.5 * 86400, "9d"), (4000 * 86400, "4000d")),
    ],
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    """An age is shown in the largest unit that gives at least 2, or exactly 1, rounded down."""
    assert format_age(seconds) == text


def test_the_skew_of_a_clock() -> None:
    """The skew of a clock is shown as an age and a direction."""
    assert format_skew(630) == "10m ahead of the local clock"
    assert format_skew(-45.5) == "45s behind the local clock"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("25m", 1500),
        ("12h", 43200),
        ("1.5d", 129600),
        ("1w", 604800),
        ("0", 0),
        ("-1d", -86400),
        ("1h30m", 5400),
        ("1d2h", 93600),
        ("+.5h", 1800),
        ("250ms", 0.25),
    ],
)
def test_numbers_with_units(text: str, seconds: float) -> None:
    """A threshold without a unit is in seconds."""
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "1x",
        "1D",
        "one",
        "1d2",
        "1d -2h",
        "--1d",
        "0x10",
        "1,5d",
        "1_000",
        "1_0s",
        "\u0661\u0662",
        "\u0661d",
        "nan",
        "infd",
        "1e9999d",
        "12h ",
    ],
)
def test_what_is_no_time(text: str) -> None:
    """An invalid threshold is refused as an invalid number."""
    with pytest.raises(ValueError, match="invalid number"):
        parse_seconds(text)
