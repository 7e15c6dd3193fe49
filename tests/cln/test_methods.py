"""The methods of the changes of ELS keys and servers, which differ between the revisions of the API document."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from cln_monitor.cln import BadAnswerError, Client, ClnError, RefusedError
from cln_monitor.cln.endpoints import READS, WRITES, Endpoint
from cln_monitor.simulator import REVISIONS, Simulator, serve
from tests.helpers.scripted import ScriptedServer, http_answer, read_head

from .answering import AnsweringCln
from .asking import LOGIN, SECRET_KEY, Clients, enveloped
from .changes import CHANGES, Change, named

ELS_CHANGES = [change for change in CHANGES if change.path.startswith("/els/")]
each_change = pytest.mark.parametrize("change", ELS_CHANGES, ids=named)


def not_allowed(allow: str | None, body: bytes = b"<html>") -> bytes:
    """Return a response that does not allow the method of the request."""
    headers = [] if allow is None else [f"Allow: {allow}"]
    return http_answer(body, *headers, status="405 Method Not Allowed")


class ByMethod(ScriptedServer):
    """Answers by the method of a request: ``answers``, or for other methods HTTP 405 with ``allow``."""

    def __init__(self, answers: dict[str, bytes], allow: str | None) -> None:
        super().__init__(self._talk)
        self.answers, self.allow = answers, allow
        self.methods: list[str] = []

    def _talk(self, connection: socket.socket) -> None:
        while head := read_head(connection):
            method = head.decode("ascii").split(" ", 1)[0]
            self.methods.append(method)
            answer = self.answers.get(method, not_allowed(self.allow))
            if not answer:
                return
            connection.sendall(answer)


def enveloped_sample(change: Change) -> bytes:
    """Return the response in which the change succeeds."""
    return http_answer(enveloped(change.data))


@each_change
def test_the_documented_method_of_today_comes_first(clients: Clients, change: Change) -> None:
    """A CLN of 2024-10 is asked once, with the method of that revision."""
    with ByMethod({change.method: enveloped_sample(change)}, None) as server:
        assert change.make(clients.writer(server.url)) == change.result
        assert server.methods == [change.method]


@each_change
@pytest.mark.parametrize("allow", ["GET", "get, HEAD", "OPTIONS, GET , HEAD", "POST, GET, PUT, DELETE"])
def test_the_method_that_is_allowed_comes_next(clients: Clients, change: Change, allow: str) -> None:
    """After HTTP 405 the change is sent once with the method in Allow, which later changes use at once."""
    with ByMethod({"GET": enveloped_sample(change)}, allow) as server:
        client = clients.writer(server.url)
        assert change.make(client) == change.result
        assert change.make(client.within(client._caller.deadline)) == change.result
        with client.run() as run:
            assert change.make(run) == change.result
        assert server.methods == [change.method, "GET", "GET", "GET"]


@each_change
@pytest.mark.parametrize("allow", [None, "", "HEAD, OPTIONS, TRACE", "PATCH", "{method}", "{method}, HEAD", "nonsense"])
def test_nothing_else_is_tried(clients: Clients, change: Change, allow: str | None) -> None:
    """Without another method in Allow the change is refused after one request, and nothing was done."""
    with ByMethod({}, None if allow is None else allow.format(method=change.method)) as server:
        with pytest.raises(RefusedError) as raised:
            change.make(clients.writer(server.url))
        assert raised.value.problem.startswith("nothing was changed: ")
        assert not raised.value.outcome_unknown
        assert server.methods == [change.method]


def test_two_methods_that_are_not_allowed(clients: Clients) -> None:
    """A change is never sent more than twice, and a method that is not allowed is not remembered."""
    change = ELS_CHANGES[0]
    with ByMethod({}, "GET, PUT") as server:
        client = clients.writer(server.url)
        for _ in range(2):
            with pytest.raises(RefusedError) as raised:
                change.make(client)
            assert not raised.value.outcome_unknown
        assert server.methods == ["POST", "GET"] * 2


@pytest.mark.parametrize("answer", [b"", http_answer(b"<html>"), http_answer(b"", status="500 Oops")])
def test_a_second_response_that_is_lost(clients: Clients, answer: bytes) -> None:
    """If the second response is lost, the outcome is unknown, and there is no third request."""
    change = ELS_CHANGES[1]
    with ByMethod({"GET": answer}, "GET") as server:
        with pytest.raises(ClnError, match="the change may have been made") as raised:
            change.make(clients.writer(server.url))
        assert raised.value.outcome_unknown
        assert server.methods == ["PUT", "GET"]


def test_a_405_that_reports_success(clients: Clients) -> None:
    """A contradictory response, HTTP 405 with a body that reports success, is not a reason to send anything again."""
    change = ELS_CHANGES[1]
    with ByMethod({"PUT": not_allowed("GET", enveloped(change.data))}, "GET") as server:
        with pytest.raises(BadAnswerError) as raised:
            change.make(clients.writer(server.url))
        assert raised.value.outcome_unknown
        assert server.methods == ["PUT"]


def test_other_changes_have_one_method(clients: Clients, cln: AnsweringCln) -> None:
    """A change that is not of ELS is never sent with another method."""
    cln.answer = not_allowed("GET, POST, PUT, DELETE")
    for change in CHANGES:
        if change not in ELS_CHANGES:
            with pytest.raises(RefusedError):
                change.make(clients.writer(cln.url))
    assert [(asked.method, asked.path) for asked in cln.asked] == [
        (change.method, change.path) for change in CHANGES if change not in ELS_CHANGES
    ]


def test_paths_that_name_their_call() -> None:
    """Only the changes of ELS are named by their path: no other call has that path, and none is below /v2."""
    free = [endpoint for endpoint in READS | WRITES if endpoint.is_named_by_path]
    assert {endpoint.template for endpoint in free} == {change.path for change in ELS_CHANGES}
    for endpoint in free:
        assert [other for other in READS | WRITES if other.template == endpoint.template] == [endpoint]
        assert endpoint in WRITES
    with pytest.raises(ValueError, match="below /v2"):
        Endpoint("/v2/cl/keys", "DELETE", is_named_by_path=True)


def test_monitoring_sends_get_alone() -> None:
    """Each call that a probe may send is a GET; the list is by method and path."""
    assert {endpoint.method for endpoint in READS} == {"GET"}
    assert not {(endpoint.method, endpoint.template) for endpoint in READS} & {
        (endpoint.method, endpoint.template) for endpoint in WRITES
    }


MADE: dict[str, Callable[[Client], Any]] = {
    "create": lambda client: client.els.create_key("PHP_ELS", 3, "new"),
    "update": lambda client: client.els.update_key("CELS-1", 5),
    "remove a server": lambda client: client.els.remove_server("1"),
    "remove": lambda client: client.els.remove_key("CELS-1"),
}


@pytest.mark.parametrize("revision", REVISIONS)
def test_changes_at_both_revisions(clients: Clients, revision: str) -> None:
    """Each change is made once at a CLN of either revision, which is strict about methods and arguments."""
    simulator = Simulator(clock=clients.clock.time, revision=revision)
    account = simulator.add_account(LOGIN, SECRET_KEY)
    key = account.add_els_key("CELS-1", limit=4)
    key.add_server("1")
    key.add_server("2")
    with serve(simulator) as served:
        client = clients.writer(served.url)
        made = {name: make(client) for name, make in MADE.items()}
    assert (made["create"].code, made["create"].limit, made["create"].note) == ("PHP_ELS", 3, "new")
    assert made["update"].limit == 5
    assert (made["remove a server"].server_id, made["remove a server"].key) == ("1", "CELS-1")
    assert [server.key for server in made["remove"]] == ["CELS-1"]
    assert list(account.els_keys) == [made["create"].key]
    done = [request for request in simulator.requests if request.status == 200]
    assert len(done) == len(MADE)
    assert {request.method for request in done} == ({"GET"} if revision == "2024-03" else {"POST", "PUT", "DELETE"})
