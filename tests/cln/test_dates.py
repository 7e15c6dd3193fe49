"""The dates of CLN in every documented, observed or likely format."""

from __future__ import annotations

import contextlib
import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import dates
from cln_monitor.cln.dates import parse_date, parse_plain_dates, parse_shared_dates

SPELLINGS = {
    "2014-04-30T11:26-0400": 1398871560,  # the API document
    "2023-04-30T11:26-0400": 1682868360,
    "2014-04-30T11:26:00-0400": 1398871560,
    "2014-04-30T11:26:07-0400": 1398871567,
    "2014-04-30T11:26-04:00": 1398871560,
    "2014-04-30T11:26-04": 1398871560,
    "2014-04-30T15:26Z": 1398871560,
    "2014-04-30T15:26z": 1398871560,
    "2014-04-30T15:26:00Z": 1398871560,
    "2014-04-30T15:26:00.250Z": 1398871560.25,
    "2014-04-30T15:26:00.250+0000": 1398871560.25,
    "2014-04-30T20:56+05:30": 1398871560,
    "2014-04-30T20:56+0530": 1398871560,
    "2014-04-30T15:26": 1398871560,  # no zone: UTC
    "2014-04-30 15:26": 1398871560,
    "2022-09-05 14:22:23.781372": 1662387743.781372,  # ELS
    "2014-04-30 11:26:00 -0400": 1398871560,
    "2014-04-30 15:26:00 UTC": 1398871560,
    "2014-04-30 15:26:00 GMT": 1398871560,
    "  2014-04-30T11:26-0400\n": 1398871560,
    "2014-04-30": 1398816000,
    "2016-02-29T00:00Z": 1456704000,
    "1969-12-31T23:59Z": -60,
    "1970-01-01T00:00Z": 0,
}

NO_DATES = [
    "",
    " ",
    "never",
    "null",
    "04-30T11:26-0400",  # the API document lost its year in the PDF
    "2014-13-01T00:00Z",
    "2015-02-29T00:00Z",
    "0000-00-00 00:00:00",
    "2014-04-30T25:00Z",
    "2014-04-30T11:26-2500",
    "2014-04-30T11:26-0400-0400",
    "2014-04-30T11:26 EST",
    "30.04.2014 11:26",
    "20140430T112600",
    "1714490800",
    "1710121560123",  # milliseconds, which fromisoformat takes for a date of the year 1710
    "2014-W18-3T11:26",
    "2014-04-30x11:26Z",
    "٢٠١٤-04-30T11:26Z",
    "2014-04-30T11:26Z\udcff",
]


@pytest.mark.parametrize(("text", "seconds"), SPELLINGS.items(), ids=SPELLINGS.keys())
def test_exact_seconds(text: str, seconds: float) -> None:
    """Each format is read to the exact second."""
    assert parse_date(text) == seconds


@pytest.mark.parametrize("text", NO_DATES, ids=map(ascii, NO_DATES))
def test_no_date(text: str) -> None:
    """Any other text raises ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 # who calls it says what is wrong
        parse_date(text)


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001 # the zone follows
    st.integers(min_value=-14 * 60, max_value=14 * 60),
    st.sampled_from(["%Y-%m-%dT%H:%M{zone}", "%Y-%m-%dT%H:%M:00{zone}", "%Y-%m-%d %H:%M:00 {zone}"]),
)
def test_every_minute_in_every_zone(moment: datetime, offset: int, spelling: str) -> None:
    """Any minute in any time zone is read as it was written."""
    moment = moment.replace(second=0, microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    spelled = moment.strftime(spelling.format(zone="%z"))
    assert parse_date(spelled) == moment.timestamp()


@given(st.text(alphabet="0123456789-+:.TZ WGMUC", max_size=30) | st.text(max_size=30))
def test_any_text(text: str) -> None:
    """Any text gives finite seconds or ValueError."""
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_date(text))


@given(st.lists(st.none() | st.sampled_from([*SPELLINGS, *NO_DATES]) | st.text(max_size=20)))
def test_many_dates(texts: list[str | None]) -> None:
    """Dates read together give the same as each alone."""
    for parse in (parse_plain_dates, parse_shared_dates):
        with contextlib.suppress(ValueError):
            assert parse(texts) == [None if text is None else parse_date(text) for text in texts]


def test_documented_dates_are_plain() -> None:
    """The documented format, and null, are read on the fast path."""
    for parse in (parse_plain_dates, parse_shared_dates):
        assert parse(["2014-04-30T11:26-0400", None]) == [1398871560, None]


@pytest.mark.parametrize("text", ["2014-04-30T15:26:00.250Z", "0", " 2014-04-30"])
def test_dates_that_are_not_plain(text: str) -> None:
    """Unusual formats are left to the slow path."""
    for parse in (parse_plain_dates, parse_shared_dates):
        with pytest.raises(ValueError):  # noqa: PT011 # who calls it looks closely
            parse([text])


@pytest.mark.parametrize("value", [{}, {"date": "2014-04-30"}, [], ["2014-04-30"], 1398871560, 1.5, True])
def test_values_that_are_no_text_are_not_plain(value: object) -> None:
    """A JSON value that is not a string raises TypeError on every Python version."""
    for parse in (parse_plain_dates, parse_shared_dates):
        with pytest.raises(TypeError):
            parse([value])


def test_a_memory_of_dates_is_bounded() -> None:
    """The caches of days, of times and of whole dates are bounded."""
    kept = dates._Parsed(float, 3)
    assert [kept[str(number)] for number in range(8)] == list(range(8))
    assert len(kept) <= 3
