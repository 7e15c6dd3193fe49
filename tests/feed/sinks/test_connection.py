"""A connection to a receiver is kept, replaced when it is dead, and limited in time."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

import pytest

from cln_monitor.feed.sinks.connection import Connection, Request, RequestError
from tests.feed.sinks.http_script import Request as Received
from tests.feed.sinks.http_script import read_request, serving
from tests.helpers.certificates import Authority
from tests.helpers.scripted import Script, ScriptedServer, http_answer

GET = Request("GET", "/x", "")
PATIENCE = 20.0


def trusting(authority: Authority) -> ssl.SSLContext:
    """Return a context of a client that trusts a test authority."""
    return ssl.create_default_context(cafile=authority.file)


def connection(server: ScriptedServer) -> Connection:
    """Return a connection without TLS."""
    return Connection(f"{server.url}/base", ssl.create_default_context)


def test_one_connection_for_many_requests() -> None:
    """Requests below the path of the URL use one connection, also after a refusal."""
    statuses = iter(["200 OK", "404 Not Found", "200 OK"])
    received: list[Received] = []

    with ScriptedServer(serving(lambda _: http_answer(b"{}", status=next(statuses)), received)) as server:
        client = connection(server)
        answers = [client.exchange(GET, PATIENCE) for _ in range(3)]
        client.close()
    assert answers == [(200, b"{}"), (404, b"{}"), (200, b"{}")]
    assert server.connections == client.opened == 1
    assert {request.target for request in received} == {"/base/x"}


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_dead_connection_is_replaced(how: str) -> None:
    """A request over a connection that the server closes without an answer is sent again over a new one."""

    def script(sock: socket.socket) -> None:
        assert read_request(sock) is not None
        sock.sendall(http_answer(b"{}"))
        read_request(sock)
        if how == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with ScriptedServer(script) as server:
        client = connection(server)
        answers = [client.exchange(GET, PATIENCE) for _ in range(2)]
        client.close()
    assert answers == [(200, b"{}"), (200, b"{}")]
    assert server.connections == 2


def test_an_idle_connection_that_was_closed() -> None:
    """A connection that the server has closed after an answer is not used again."""
    requests: list[Received] = []
    with ScriptedServer(serving(lambda _: http_answer(b"{}", "Connection: close"), requests)) as server:
        client = connection(server)
        for _ in range(2):
            assert client.exchange(GET, PATIENCE) == (200, b"{}")
        client.close()
    assert server.connections == len(requests) == 2


def hanging(sock: socket.socket) -> None:
    """Read all requests, and never answer."""
    while sock.recv(1 << 16):
        pass


def trickling(sock: socket.socket) -> None:
    """Send a byte of a response now and then, which would never be complete."""
    read_request(sock)
    for byte in http_answer(bytes(1000)):
        time.sleep(0.02)
        sock.sendall(bytes([byte]))


def once(answer: bytes) -> Script:
    """Return a script that sends one answer and closes the connection."""

    def script(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(answer)

    return script


FAILURES: dict[str, tuple[Script, str]] = {
    "hangs": (hanging, r"timed out after 0\.3 s while waiting for the response"),
    "closes": (read_request, "connection closed while waiting for the response"),
    "cut": (once(http_answer(b"{}")[:-1]), "incomplete response"),
    "no HTTP": (once(b"220 smtp ready\r\n"), "invalid HTTP response: no HTTP status line"),
}


@pytest.mark.parametrize(("script", "reason"), FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.usefixtures("call_clock")
def test_no_complete_response(script: Script, reason: str) -> None:
    """A response that is missing or incomplete is an error with the reason."""
    seconds = 0.3 if "timed out" in reason else PATIENCE
    with ScriptedServer(script) as server:
        client = connection(server)
        with pytest.raises(RequestError, match=f"^{reason}$"):
            client.exchange(GET, seconds)
        client.close()
    assert server.connections == 1


def test_a_response_that_trickles() -> None:
    """A response that comes byte by byte is ended by the deadline of the whole exchange."""
    with ScriptedServer(trickling) as server:
        client = connection(server)
        with pytest.raises(RequestError, match=r"^timed out after 0\.5 s while"):
            client.exchange(GET, 0.5)
        client.close()


def test_connection_refused() -> None:
    """A server that does not run is an error with the reason."""
    with ScriptedServer(hanging) as server:
        pass
    with pytest.raises(RequestError, match=r"^connection refused$"):
        connection(server).exchange(GET, PATIENCE)


@pytest.mark.parametrize(
    ("name", "days", "reason"),
    [("DNS:other", 30, "IP address mismatch"), ("IP:127.0.0.1", -1, "certificate has expired")],
)
def test_a_wrong_certificate(tmp_path: Path, name: str, days: int, reason: str) -> None:
    """A wrong certificate is reported as such, and nothing is sent."""
    authority = Authority(tmp_path)
    received: list[Received] = []
    tls = authority.server_context("server", of=name, days=days)
    with ScriptedServer(serving(lambda _: http_answer(b"{}"), received), tls=tls) as server:
        client = Connection(server.url, lambda: trusting(authority))
        with pytest.raises(RequestError, match=f"^TLS certificate verification failed: {reason}"):
            client.exchange(GET, PATIENCE)
    assert not received


def test_the_name_in_the_certificate(tmp_path: Path) -> None:
    """The certificate may have a name that is not the host of the URL, if that is configured."""
    authority = Authority(tmp_path)
    tls = authority.server_context("server", of="DNS:icinga-master")
    with ScriptedServer(serving(lambda _: http_answer(b"{}")), tls=tls) as server:
        client = Connection(server.url, lambda: trusting(authority), "icinga-master")
        assert [client.exchange(GET, PATIENCE) for _ in range(2)] == [(200, b"{}")] * 2
        client.close()
    assert server.connections == 1
