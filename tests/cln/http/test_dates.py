"""Dates in a response: CLN's clock, and the wait that it asks for."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import HTTPHeaderDict

from cln_monitor.cln import RateLimitedError
from cln_monitor.cln.http.dates import clock_skew, http_date, retry_after_seconds
from tests.cln.answering import AnsweringCln
from tests.cln.asking import Clients, enveloped, read, refused
from tests.helpers.clock import NOW


def at(seconds: float) -> str:
    """Return the HTTP date of that many seconds from now."""
    return formatdate(NOW + seconds, usegmt=True)


def headers(*pairs: tuple[str, str]) -> HTTPHeaderDict:
    """Return the headers of a response."""
    found = HTTPHeaderDict()
    for name, value in pairs:
        found.add(name, value)
    return found


@pytest.mark.parametrize(
    "text", ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 -0000", "21 Oct 2015 07:28"]
)
def test_http_dates_are_in_utc(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """HTTP dates are read as UTC in any local time zone."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert http_date(text) == 1445412480
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "ages", [["900"], ["1"], ["0", "900"], ["900", "900"], ["-1"], ["x"], [""], ["0, 900"], ["1e3"]]
)
@pytest.mark.parametrize("date", [-900, 0, 3600])
def test_a_cached_answer_tells_no_clock(ages: list[str], date: float) -> None:
    """The date of a cached response gives no clock skew, however old or odd its Age is."""
    found = headers(("Date", at(date)), *(("Age", age) for age in ages))
    assert clock_skew(found, NOW) is None


@pytest.mark.parametrize("age", [None, "0", "00", " 0 "])
@pytest.mark.parametrize("skew", [0, 90, -86400])
def test_a_fresh_answer_tells_the_clock(age: str | None, skew: float) -> None:
    """Without an Age, or with an Age of 0, the date gives the clock skew."""
    found = headers(("Date", at(skew)), *([("Age", age)] if age is not None else []))
    assert clock_skew(found, NOW) == skew


@pytest.mark.parametrize(
    "dates",
    [
        [],
        [""],
        ["soon"],
        ["Thu, 01 Jan 1970 00:00:00 GMT"],
        ["Fri, 31 Dec 9999 23:59:59 GMT"],
        ["Wed, 99 Oct 2015"],
        [at(0), at(60)],
        ["0"],
    ],
)
def test_a_date_that_cannot_be_meant(dates: list[str]) -> None:
    """A missing, invalid, duplicate or implausible date gives no clock skew and no wait."""
    found = headers(*(("Date", date) for date in dates))
    assert clock_skew(found, NOW) is None
    found.add("Retry-After", at(12))
    assert retry_after_seconds(found, NOW) == 12


def test_the_same_date_twice() -> None:
    """A date header that a proxy repeated counts as one."""
    assert clock_skew(headers(("Date", at(5)), ("Date", at(5))), NOW) == 5


@pytest.mark.parametrize(
    ("date", "age", "until", "wait"),
    [
        (0, None, 12, 12),
        (3600, None, 3612, 12),
        (-3600, None, -3588, 12),
        (-5, None, 7, 12),
        (-900, "900", 12, 12),
        (-900, "x", 12, 12),
        (-900, "-1", 12, 12),
        (3600, "60", 3612, 12),
        (-3600, "60", -3588, 12),
        (0, "86400", 12, 12),
        (0, None, -12, 0),
        (-900, "900", -800, 100),
    ],
)
def test_a_date_to_wait_for(date: float, age: str | None, until: float, wait: float) -> None:
    """A Retry-After date is relative to CLN's clock, so a wrong clock does not change the wait."""
    found = headers(("Date", at(date)), ("Retry-After", at(until)), *([("Age", age)] if age is not None else []))
    assert retry_after_seconds(found, NOW) == wait


@given(st.lists(st.tuples(st.sampled_from(["Date", "Age", "Retry-After"]), st.text(max_size=40))))
def test_any_headers(pairs: list[tuple[str, str]]) -> None:
    """Any headers give seconds or None."""
    found = headers(*pairs)
    assert isinstance(clock_skew(found, NOW), float | None)
    wait = retry_after_seconds(found, NOW)
    assert wait is None or wait >= 0


def test_a_cached_answer_through_the_client(clients: Clients, cln: AnsweringCln) -> None:
    """A cached response is used, and neither gives a clock skew nor explains a refused token by it."""
    cln.says(enveloped({"xmlrpc": True}), "200 OK", f"Date: {at(-900)}", "Age: 900")
    client = clients.client(cln.url)
    client.status.flags()
    cln.says(refused("Authorization failed"), "401 No", f"Date: {at(-900)}", "Age: 900")
    with pytest.raises(Exception, match=r"Authorization failed$"):
        client.kernelcare.keys()
    assert [exchange.clock_skew for exchange in clients.exchanges] == [None, None]


def test_a_cached_wait_through_the_client(clients: Clients, cln: AnsweringCln) -> None:
    """The wait in a cached response is reduced by its age."""
    cln.says(b"", "429 Many", f"Date: {at(-900)}", "Age: 900", f"Retry-After: {at(45)}")
    with pytest.raises(RateLimitedError) as raised:
        read(clients.transport(cln.url))
    assert raised.value.retry_after == 45
