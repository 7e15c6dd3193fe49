"""The chart of check-in ages."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.web.status_page.charts import HEIGHT, WIDTH, Chart, chart
from cln_monitor.exporter.web.status_page.summary import summarize
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, server


def drawn(*ages: float | None, stale_after: float = DAY) -> Chart:
    """Return the chart of servers of these ages."""
    servers = [server(str(number), age) for number, age in enumerate(ages)]
    half = len(servers) // 2
    check_ins = summarize(kernelcare(key("a", *servers[:half]), key("b", *servers[half:]))).check_ins
    return chart("kernelcare", "KernelCare", check_ins, NOW, stale_after)


@pytest.mark.parametrize(
    ("age", "label"),
    [
        (-60, "< 4 h"),
        (0, "< 4 h"),
        (4 * HOUR - 1, "< 4 h"),
        (4 * HOUR, "< 4 h"),
        (4 * HOUR + 1, "< 8 h"),
        (8 * HOUR + 1, "< 1 d"),
        (DAY + 1, "< 3 d"),
        (3 * DAY + 1, "< 7 d"),
        (7 * DAY + 1, "< 30 d"),
        (30 * DAY + 1, "older"),
        (None, "never"),
    ],
)
def test_each_age_has_its_bar(age: float | None, label: str) -> None:
    """Each server is in exactly one bar."""
    assert [(bar.label, bar.count) for bar in drawn(age).bars if bar.count] == [(label, 1)]


def test_what_is_stale() -> None:
    """Bars are colored by the threshold of the probe."""
    states = [bar.state for bar in drawn(0, stale_after=3 * DAY).bars]
    assert states == ["fresh"] * 4 + ["stale"] * 3 + ["never"]
    assert [bar.state for bar in drawn(0).bars] == ["fresh"] * 3 + ["stale"] * 4 + ["never"]


def test_one_among_thousands_is_seen() -> None:
    """Each bar of a server is visible, no bar exceeds the chart, and the tallest bar has the most servers."""
    picture = drawn(*[60.0] * 5000, 2 * DAY, None, None)
    bars = {bar.label: bar for bar in picture.bars if bar.count}
    assert bars["< 3 d"].height >= 3
    assert bars["< 3 d"].height < bars["never"].height < bars["< 4 h"].height
    for bar in picture.bars:
        assert 0 <= bar.x < bar.x + bar.width <= WIDTH
        assert 12 < bar.y <= bar.y + bar.height < HEIGHT - 20
    assert (bars["< 4 h"].number, picture.total) == ("5\u202f000", 5003)


def test_in_words() -> None:
    """The description of a chart has the same numbers as its bars."""
    assert drawn(60, 60, 2 * DAY, 99 * DAY, None).description == (
        "Of 5 servers: 2 less than 4 h ago, 1 less than 3 d ago, 1 longer ago and 1 never checked in."
    )
    assert drawn().description == "No servers."


def test_large_numbers_fit() -> None:
    """Numbers above bars have at most five characters."""
    assert [bar.number for bar in drawn(*[1.0] * 12_345).bars if bar.count] == ["12.3k"]
