"""The transport of read-only calls: GETs of a list, with headers of their own, for CLN and for other servers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from cln_monitor.cln import BadAnswerError, Deadline, Endpoint, HttpAnswer, RateLimitedError, RateLimiter, Redactor
from cln_monitor.cln.http.read_transport import ReadTransport
from cln_monitor.cln.http.settings import TransportSettings
from tests.helpers.clock import FakeClock
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

SERVERS = Endpoint("/servers")
Connect = Callable[..., ReadTransport]


@pytest.fixture
def connect(clock: FakeClock) -> Iterator[Connect]:
    """Make a transport for one call of a server that is not CLN."""
    transports: list[ReadTransport] = []

    def connect(url: str, headers: Callable[[], Mapping[str, str]] = dict, **settings: Any) -> ReadTransport:
        transports.append(
            ReadTransport(
                TransportSettings(url, timeout=5, server="the ePortal", url_setting="its url", **settings),
                RateLimiter(8, 0, clock),
                clock,
                Redactor(),
                reads={SERVERS},
                headers=headers,
            )
        )
        return transports[-1]

    yield connect
    for transport in transports:
        transport.close()


def read(transport: ReadTransport, endpoint: Endpoint = SERVERS) -> HttpAnswer:
    """Return the response of a call, undecoded."""
    return transport.read(endpoint, dict, dict, lambda answer: answer, Deadline.never(transport.clock))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_only_gets(clock: FakeClock, method: str) -> None:
    """A transport for reads cannot be made for a call that is not a GET."""
    settings = TransportSettings("http://127.0.0.1:1")
    with pytest.raises(ValueError, match="a read-only call is a GET"):
        ReadTransport(settings, RateLimiter(1, 0, clock), clock, Redactor(), reads={SERVERS, Endpoint("/x", method)})


@pytest.mark.parametrize("endpoint", [Endpoint("/servers", "DELETE"), Endpoint("/delete_server")])
def test_only_listed_calls(connect: Connect, endpoint: Endpoint) -> None:
    """A call that is not listed is not sent, with any method."""
    with ScriptedServer(answering(http_answer(b"{}"))) as server:
        with pytest.raises(PermissionError, match="is not a read-only call"):
            read(connect(server.url), endpoint)
        assert server.connections == 0


def test_headers_of_each_request(connect: Connect) -> None:
    """The headers are made for each request, so that a changed secret takes effect, and none stays on a connection."""
    heads: list[bytes] = []

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            connection.sendall(http_answer(b"{}"))

    made = iter([{"X-Api-Key": "one"}, {"X-Api-Key": "two"}, {}])
    with ScriptedServer(script) as server:
        transport = connect(server.url, lambda: next(made))
        for _ in range(3):
            read(transport)
        assert server.connections == 1
    keys = [[line for line in head.split(b"\r\n") if line.startswith(b"X-Api-Key")] for head in heads]
    assert keys == [[b"X-Api-Key: one"], [b"X-Api-Key: two"], []]


def test_errors_name_the_server(connect: Connect) -> None:
    """An error does not blame CLN for the response of another server, and names the setting of its URL."""
    with ScriptedServer(answering(b"SSH-2.0-OpenSSH_9.2\r\n")) as server, pytest.raises(BadAnswerError) as raised:
        read(connect(server.url))
    assert raised.value.problem.startswith("unexpected response from the ePortal: not valid HTTP")
    assert raised.value.problem.endswith("; check its url")
    limited = http_answer(b"", "Retry-After: 3600", status="429 Too Many Requests")
    with ScriptedServer(answering(limited)) as server, pytest.raises(RateLimitedError) as raised_limit:
        read(connect(server.url))
    assert raised_limit.value.problem == "rate limited by the ePortal: HTTP 429, retry after 3600 s"


def test_its_own_size_limit(connect: Connect) -> None:
    """A server may have a lower limit of the size of a response; a body of exactly that size is read."""
    for size, fits in ((65536, True), (65537, False)):
        with ScriptedServer(answering(http_answer(b"x" * size))) as server:
            transport = connect(server.url, largest_body=65536)
            if fits:
                assert len(read(transport).body) == size
                continue
            with pytest.raises(BadAnswerError) as raised:
                read(transport)
            assert raised.value.problem == "unexpected response from the ePortal: larger than 64 KB"
