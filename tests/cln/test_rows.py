"""Rows with the same id are one object."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import ImunifyServer
from cln_monitor.cln.rows import unique, unique_servers


def server(server_id: str, last_checkin: float | None, ip: str = "192.0.2.1") -> ImunifyServer:
    """Return a server."""
    return ImunifyServer(server_id, ip, last_checkin)


def test_first_row_of_an_identity_counts() -> None:
    """The first row of each id is kept, in order."""
    assert unique(["b1", "a1", "b2", "c1"], lambda row: row[0]) == ["b1", "a1", "c1"]


def test_server_that_repeats_is_one_server() -> None:
    """The duplicate server in the document's group sample is one server."""
    assert unique_servers([server("SERVER-1", 5), server("SERVER-1", 5)]) == [server("SERVER-1", 5)]


def test_row_that_checked_in_last_counts() -> None:
    """The row with the latest check-in is kept, at any position; never is the earliest."""
    rows = [server("a", None), server("b", 7), server("a", 3, "192.0.2.2"), server("b", 6), server("a", None)]
    assert unique_servers(rows) == [server("a", 3, "192.0.2.2"), server("b", 7)]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 9))))
def test_any_rows(rows: list[tuple[str, int | None]]) -> None:
    """Each id is returned once, with its latest check-in."""
    servers = unique_servers([server(name, checkin) for name, checkin in rows])
    assert [each.server_id for each in servers] == list(dict.fromkeys(name for name, _ in rows))
    for each in servers:
        checkins = [checkin for name, checkin in rows if name == each.server_id and checkin is not None]
        assert each.last_checkin == max(checkins, default=None)


def test_rows_without_an_identity_all_stay() -> None:
    """Rows without an id are all kept."""
    assert unique(["", "", "a", "a"], str) == ["", "", "a"]
