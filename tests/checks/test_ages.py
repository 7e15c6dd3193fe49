"""Ages for people, and numbers with units."""

from __future__ import annotations

import pytest

from cln_monitor.checks.ages import format_age, parse_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        *((-5, "0s"), (0, "0s"), (59.9, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (26 * 3600, "26h")),
        *((48 * 3600 - 1, "47h"), (48 * 3600, "2d"), (9.5 * 86400, "9d"), (4000 * 86400, "4000d")),
    ],
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    """Hours go on to two days, where people begin to count days; nothing is rounded up."""
    assert format_age(seconds) == text


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
    ],
)
def test_numbers_with_units(text: str, seconds: float) -> None:
    """Without a unit it is seconds."""
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "d",
        "1x",
        "1D",
        "one",
        "1d2h",
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
    """A unit that is none, and a number that is none."""
    with pytest.raises(ValueError, match=r"no unit of time|is no number"):
        parse_seconds(text)
