"""Rows that repeat are one thing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import ImunifyServer
from cln_monitor.cln.rows import unique, unique_servers


def server(server_id: str, last_checkin: float | None, ip: str = "192.0.2.1") -> ImunifyServer:
    """Return a server."""
    return ImunifyServer(server_id, ip, last_checkin)


def test_first_row_of_an_identity_counts() -> None:
    """Of rows with the same id the first stays, and the order stays too."""
    assert unique(["b1", "a1", "b2", "c1"], lambda row: row[0]) == ["b1", "a1", "c1"]


def test_server_that_repeats_is_one_server() -> None:
    """The document's own group sample has the same server twice."""
    assert unique_servers([server("SERVER-1", 5), server("SERVER-1", 5)]) == [server("SERVER-1", 5)]


def test_row_that_checked_in_last_counts() -> None:
    """Of the rows of a server the one with the latest check-in stays, wherever it stands; never is the earliest."""
    rows = [server("a", None), server("b", 7), server("a", 3, "192.0.2.2"), server("b", 6), server("a", None)]
    assert unique_servers(rows) == [server("a", 3, "192.0.2.2"), server("b", 7)]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.integers(0, 9))))
def test_any_rows(rows: list[tuple[str, int | None]]) -> None:
    """Each id is there once, with the latest check-in of its rows."""
    servers = unique_servers([server(name, checkin) for name, checkin in rows])
    assert [each.server_id for each in servers] == list(dict.fromkeys(name for name, _ in rows))
    for each in servers:
        checkins = [checkin for name, checkin in rows if name == each.server_id and checkin is not None]
        assert each.last_checkin == max(checkins, default=None)


def test_rows_without_an_identity_all_stay() -> None:
    """Two servers of which CLN tells no id are two."""
    assert unique(["", "", "a", "a"], str) == ["", "", "a"]
