"""Pages are read until the count is reached, and counts that cannot be are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cln_monitor.cln import BadAnswerError
from cln_monitor.eportal.pages import InconsistentError, consistently, read_pages
from cln_monitor.eportal.servers import ServerRow, ServersPage


@pytest.mark.parametrize("count", [-1, 1_000_001])
def test_impossible_count(count: int) -> None:
    """A negative count is not one, and a huge one would keep the client busy for hours."""
    with pytest.raises(BadAnswerError) as raised:
        read_pages(lambda _: ServersPage(count, []))
    assert str(raised.value) == f"unexpected response from the ePortal: a count of {count}"


def test_empty_page() -> None:
    """An empty page before the count is reached ends the reading, and does not repeat it for ever."""
    with pytest.raises(InconsistentError, match="its pages have 1 servers, but its count is 3"):
        read_pages(lambda offset: ServersPage(3, [] if offset else [ServerRow("a")]))


def test_row_twice_on_one_page() -> None:
    """A server twice on one page does not count as two."""
    with pytest.raises(InconsistentError, match="the page from row 0 on repeats a server"):
        read_pages(lambda _: ServersPage(2, [ServerRow("a"), ServerRow("a")]))


def test_ids_of_two_types() -> None:
    """A number and a string are one id, as they are one label."""
    with pytest.raises(InconsistentError, match="the page from row 0 on repeats a server"):
        read_pages(lambda _: ServersPage(2, [ServerRow(7), ServerRow("7")]))


def _by_checkin(rows: list[ServerRow], checkins: dict[int, str]) -> Callable[[int], ServersPage]:
    """Return a list in pages of three, the last check-in first; after a number of requests a server checks in."""
    requests = 0

    def read(offset: int) -> ServersPage:
        nonlocal requests
        if (name := checkins.get(requests)) is not None:
            rows.sort(key=lambda row: row.id != name)
        requests += 1
        return ServersPage(len(rows), rows[offset : offset + 3])

    return read


@pytest.mark.parametrize("checkins", [{}, {1: "h"}, {2: "i"}, {1: "a"}, {1: "h", 2: "g"}, {1: "i", 4: "d"}])
def test_servers_that_move_between_pages(checkins: dict[int, str]) -> None:
    """In a list whose order changes while it is read, those that were missed are found in a second reading."""
    rows = read_pages(_by_checkin([ServerRow(name) for name in "abcdefghi"], checkins))
    assert sorted(str(row.id) for row in rows) == list("abcdefghi")


def test_servers_that_stay_missing() -> None:
    """A list that is not whole after a second reading is an error."""
    rows = [ServerRow(name) for name in "abcdefgde"]
    with pytest.raises(InconsistentError, match="its pages have 7 servers, but its count is 9"):
        read_pages(_by_checkin(rows, {}))


def test_third_attempt_counts() -> None:
    """A list that fits together at the third attempt is returned."""
    outcomes = iter([InconsistentError("one"), InconsistentError("two"), None])

    def read() -> str:
        if (outcome := next(outcomes)) is not None:
            raise outcome
        return "servers"

    assert consistently(read) == "servers"
