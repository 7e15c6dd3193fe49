"""The log of requests."""

from cln_monitor.simulator import Request
from cln_monitor.simulator.request_log import KEPT, RequestLog


def request(path: str) -> Request:
    """Return a request of a path."""
    return Request("GET", path, {}, f"/api{path}", None, {}, 1)


def test_it_keeps_the_newest() -> None:
    """The oldest requests are dropped first, and the log can be cleared."""
    log = RequestLog()
    for number in range(KEPT + 3):
        log.add(request(f"/{number}"))
    assert len(log.all()) == KEPT
    assert log.all()[0].path == "/3"
    log.clear()
    assert log.all() == []


def test_returned_list_is_a_copy() -> None:
    """A returned list does not change when requests are added."""
    log = RequestLog()
    before = log.all()
    log.add(request("/a"))
    assert before == []
