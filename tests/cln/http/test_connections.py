"""Connections: a response belongs to its request, connections out of step are not reused, none outlives its run."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from cln_monitor.cln import BadAnswerError, ClnError, Deadline, ReadOnlyClient, TimedOutError, UnreachableError
from cln_monitor.cln.http import connections as connections_module
from cln_monitor.cln.http.sockets import connect
from tests.cln.answering import AnsweringCln
from tests.cln.asking import Clients, enveloped, read, refused
from tests.helpers.certificates import Authority
from tests.helpers.running import wait_until
from tests.helpers.scripted import ScriptedServer, http_answer, read_head

PATIENCE = 20.0
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
GOOD = http_answer(enveloped([]))
KEYS = ("Aaaa1111Bbbb2222", "Cccc3333Dddd4444", "Eeee5555Ffff6666")


class Talking(ScriptedServer):
    """A server that sends ``answer(n)`` to the n-th request of each connection; None sends nothing."""

    def __init__(self, answer: Callable[[int, bytes], bytes | None], **options: object) -> None:
        super().__init__(self._talk, **options)  # type: ignore[arg-type] # passed on
        self._answer = answer
        self.heads: list[bytes] = []
        self.numbers: list[int] = []

    def _talk(self, connection: socket.socket) -> None:
        number = 0
        while head := read_head(connection):
            self.heads.append(head)
            number += 1
            self.numbers.append(number)
            answer = self._answer(number, head)
            if answer is None:
                connection.recv(1)  # until the client gives up
                return
            if not answer:
                return
            connection.sendall(answer)


class TestInterim:
    """Interim responses precede the response to the same request."""

    def test_each_answer_belongs_to_its_request(self, clients: Clients) -> None:
        """With a 103 before a delayed response, no key gets the servers of another key."""

        def script(connection: socket.socket) -> None:
            while head := read_head(connection):
                connection.sendall(HINTS)
                time.sleep(0.05)
                key = next(key for key in KEYS if key.encode() in head)
                connection.sendall(http_answer(enveloped([{"server_id": key, "ip": "192.0.2.1"}])))

        with ScriptedServer(script) as server:
            client = clients.client(server.url)
            for key in (*KEYS, *KEYS):
                assert [each.server_id for each in client.kernelcare.servers(key)] == [key]
        assert server.connections == 6

    def test_created_key_is_not_lost(self, clients: Clients, cln: AnsweringCln) -> None:
        """The response to a change is the one after the interim response."""
        cln.answer = HINTS + http_answer(enveloped({"key": KEYS[0], "limit": 3}))
        assert clients.writer(cln.url).kernelcare.create_key(3) == KEYS[0]
        assert len(cln.asked) == 1

    @pytest.mark.parametrize("status", [100, 102, 103, 199])
    def test_every_interim_status(self, clients: Clients, cln: AnsweringCln, status: int) -> None:
        """No interim status is taken for the response."""
        cln.answer = f"HTTP/1.1 {status} x\r\n\r\n".encode() * 3 + GOOD
        assert clients.client(cln.url).kernelcare.keys() == []

    def test_protocol_that_nobody_asked_for(self, clients: Clients, cln: AnsweringCln) -> None:
        """A response with status 101 is final, and an unexpected response from CLN."""
        cln.answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + GOOD
        with pytest.raises(BadAnswerError) as raised:
            clients.client(cln.url).kernelcare.keys()
        assert raised.value.problem == "unexpected response from CLN: an empty body (HTTP 101)"

    def test_without_end(self, clients: Clients, cln: AnsweringCln) -> None:
        """Endless interim responses are invalid HTTP."""
        cln.answer = HINTS * 100
        with pytest.raises(BadAnswerError) as raised:
            clients.client(cln.url).kernelcare.keys()
        assert raised.value.problem == "unexpected response from CLN: not valid HTTP (more than 32 interim responses)"

    @pytest.mark.parametrize("later", [b"", HINTS])
    def test_before_the_answer_of_a_proxy(self, clients: Clients, authority: Authority, later: bytes) -> None:
        """A proxy may send an interim response before it opens the tunnel."""
        behind = authority.server_context("cln", of="DNS:cln.example.com")

        def script(connection: socket.socket) -> None:
            read_head(connection)
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 200 Connection established\r\n\r\n")
            with behind.wrap_socket(connection, server_side=True) as inner:
                read_head(inner)
                inner.sendall(later + GOOD)

        with ScriptedServer(script) as proxy:
            client = clients.client("https://cln.example.com/api", proxy=proxy.url, ca_file=str(authority.file))
            assert client.kernelcare.keys() == []


NOT_USED_AGAIN = {
    "interim": HINTS + GOOD,
    "refused": http_answer(refused("no")),
    "HTML": http_answer(b"<html>"),
    "404": http_answer(b"<html>", status="404 Not Found"),
    "500": http_answer(b"<html>", status="500 Oops"),
    "429": http_answer(b"", status="429 Too Many Requests"),
    "a part": http_answer(enveloped([]), status="206 Partial Content"),
    "a redirect": http_answer(b"", "Location: /", status="302 Found"),
    "not modified": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "a row of another shape": http_answer(enveloped([1])),
    "gzip without its end": http_answer(gzip.compress(enveloped([]))[:-8], "Content-Encoding: gzip"),
    "no gzip": http_answer(b"no gzip", "Content-Encoding: gzip"),
    "bytes of another charset": http_answer(b"\xff", "Content-Type: text/plain; charset=us-ascii"),
    "more than its length": GOOD + b"x",
    "a second answer": GOOD + http_answer(refused("no")),
}


@pytest.mark.parametrize("sent", NOT_USED_AGAIN.values(), ids=NOT_USED_AGAIN.keys())
def test_connection_is_not_used_again(clients: Clients, sent: bytes) -> None:
    """After a response that is not complete and valid, the next call uses a new connection."""
    answers = iter([sent])
    with Talking(lambda *_: next(answers, GOOD)) as server:
        client = clients.client(server.url)
        with contextlib.suppress(ClnError):
            client.kernelcare.keys()
        assert client.kernelcare.keys() == []
        assert client.kernelcare.keys() == []
    assert len(server.heads) > server.connections == 2
    assert server.numbers[:2] == [1, 1]


class TestStale:
    """Connections that the server closed between two calls."""

    @pytest.mark.parametrize("second", [None, b"", http_answer(b"", status="408 Request Timeout")])
    def test_read_is_sent_once_more(self, clients: Clients, second: bytes | None) -> None:
        """A read without any response byte, or with a 408, is sent again at once over a new connection."""
        with Talking(lambda number, _: GOOD if number == 1 else second) as server:
            client = clients.client(server.url, timeout=2)
            for _ in range(3):
                assert client.kernelcare.keys() == []
        assert server.connections == 3
        assert len(server.heads) == 5
        assert clients.clock.slept == []

    def test_token_is_made_anew(self, clients: Clients) -> None:
        """A request that is sent again has a new token."""
        with Talking(lambda number, _: GOOD if number == 1 else b"") as server:
            client = clients.client(server.url)
            client.kernelcare.keys()
            clients.clock.advance(100)
            client.kernelcare.keys()
        assert len({head.split(b"token=")[1] for head in server.heads}) == 2

    def test_each_is_observed(self, clients: Clients) -> None:
        """A request on a stale connection is observed as well."""
        with Talking(lambda number, _: GOOD if number == 1 else b"") as server:
            transport = clients.transport(server.url)
            read(transport)
            read(transport)
        assert [exchange.code for exchange in clients.exchanges] == ["200", "unreachable", "200"]

    def test_only_once(self, clients: Clients) -> None:
        """If the new connection gets no response either, the call times out."""
        answers = iter([GOOD])
        with Talking(lambda *_: next(answers, None)) as server:
            client = clients.client(server.url, timeout=2)
            client.kernelcare.keys()
            with pytest.raises(TimedOutError):
                client.kernelcare.keys()
        assert len(server.heads) == 3

    def test_not_beyond_the_deadline(self, clients: Clients) -> None:
        """After the deadline of the run nothing is sent again, and the first error is raised."""
        with Talking(lambda number, _: GOOD if number == 1 else None) as server:
            client = clients.client(server.url, timeout=2)
            client.kernelcare.keys()
            ends = Deadline(0.1, clients.clock)
            ends.left = lambda: 0.1 if len(server.heads) < 2 else 0.0  # type: ignore[method-assign]
            with pytest.raises(TimedOutError, match="while waiting for the response"):
                client.within(ends).kernelcare.keys()
        assert len(server.heads) == 2

    @pytest.mark.parametrize("begun", [b"HTTP/1.1 200", HINTS, GOOD[:-1]])
    def test_not_when_an_answer_began(self, clients: Clients, begun: bytes) -> None:
        """A response that began and was cut is an incomplete response, and retried as such."""
        with Talking(lambda number, _: GOOD if number == 1 else begun) as server:
            client = clients.client(server.url, timeout=2)
            client.kernelcare.keys()
            with pytest.raises(TimedOutError):
                client.kernelcare.keys()
        assert len(server.heads) == 2

    @pytest.mark.usefixtures("call_clock")
    def test_new_connection_is_not_asked_twice(self, clients: Clients) -> None:
        """A request on a new connection without a response is sent once."""
        with Talking(lambda *_: None) as server:
            with pytest.raises(TimedOutError):
                clients.client(server.url, timeout=0.1).kernelcare.keys()
            wait_until(lambda: server.heads, "the request")
        assert len(server.heads) == 1

    @pytest.mark.parametrize("answer", [None, b"", http_answer(b"", status="408 Request Timeout")])
    def test_change_is_never_sent_again(self, clients: Clients, answer: bytes | None) -> None:
        """A change is sent over a new connection, once."""
        with Talking(lambda _, head: GOOD if b"/list.json" in head else answer) as server:
            client = clients.writer(server.url, timeout=2)
            client.kernelcare.keys()
            with pytest.raises(ClnError) as raised:
                client.kernelcare.delete_key(KEYS[0])
            assert raised.value.outcome_unknown or b"408" in (answer or b"")
        assert sum(b"delete" in head for head in server.heads) == 1
        assert server.connections == 2

    def test_idle_for_long(self, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        """A connection that was idle for so long that a NAT may have dropped it is not reused."""
        with Talking(lambda *_: GOOD) as server:
            transport = clients.transport(server.url)
            read(transport)
            read(transport)
            assert server.connections == 1
            monkeypatch.setattr(connections_module, "_LONGEST_IDLE", 0.0)
            read(transport)
        assert server.connections == 2


class TestRun:
    """A run of several calls has connections of its own."""

    def test_they_end_with_the_run(self, clients: Clients) -> None:
        """The calls of a run share a connection, which is closed with the run."""
        ended = threading.Event()

        def script(connection: socket.socket) -> None:
            while read_head(connection):
                connection.sendall(GOOD)
            ended.set()

        with ScriptedServer(script) as server:
            client = clients.client(server.url)
            with client.run() as run:
                for _ in range(3):
                    run.kernelcare.keys()
                assert server.connections == 1
                assert not ended.is_set()
            assert ended.wait(PATIENCE)
            with client.run() as run:
                run.kernelcare.keys()
        assert server.connections == 2

    def test_run_beside_it_goes_on(self, clients: Clients) -> None:
        """The end of a run does not close the connections of another run of the same client."""
        with Talking(lambda *_: GOOD) as server:
            client = clients.client(server.url)
            with client.run() as one:
                one.kernelcare.keys()
                with client.run() as other:
                    other.kernelcare.keys()
                one.kernelcare.keys()
        assert server.connections == 2

    def test_call_that_outlives_its_run(self, clients: Clients) -> None:
        """A call in progress at the end of its run completes, and its connection is closed then."""
        may_answer, asked, ended = threading.Event(), threading.Event(), threading.Event()

        def script(connection: socket.socket) -> None:
            read_head(connection)
            asked.set()
            may_answer.wait(PATIENCE)
            connection.sendall(GOOD)
            assert connection.recv(1) == b""
            ended.set()

        with ScriptedServer(script) as server, ThreadPoolExecutor(1) as pool:
            client = clients.client(server.url, timeout=PATIENCE)
            with client.run() as run:
                call = pool.submit(run.kernelcare.keys)
                assert asked.wait(PATIENCE)
            may_answer.set()
            assert call.result(PATIENCE) == []
            assert ended.wait(PATIENCE)

    def test_it_shares_what_is_not_a_connection(self, clients: Clients, authority: Authority) -> None:
        """A run uses the TLS context of its client, and reads no CA bundle."""
        with Talking(lambda *_: GOOD, tls=authority.server_context("localhost")) as server:
            client: ReadOnlyClient = clients.client(server.url, ca_file=str(authority.file))
            with client.run() as run:
                assert run.kernelcare.keys() == []
                session, of_run = (each._caller.transport._sender._pool for each in (client, run))
                assert of_run._context is session._context
        assert [exchange.code for exchange in clients.exchanges] == ["200"]


def test_keepalive(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP keepalives detect a dead peer while a response is awaited."""
    made: list[socket.socket] = []

    def connected(host: str, port: int) -> socket.socket:
        made.append(connect(host, port))
        return made[-1]

    monkeypatch.setattr(connections_module, "connect", connected)
    with Talking(lambda *_: GOOD) as server:
        read(clients.transport(server.url))
        (sock,) = made
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 20


def test_body_that_tls_does_not_vouch_for(clients: Clients, authority: Authority) -> None:
    """A body that ends with its TLS connection is complete only after a close notification."""

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nsuccess:true xmlrpc:true")
        if server.connections > 3:
            connection.unwrap()  # type: ignore[attr-defined] # it is one of TLS

    with ScriptedServer(script, tls=authority.server_context("localhost")) as server:
        transport = clients.transport(server.url, ca_file=str(authority.file))
        with pytest.raises(BadAnswerError, match=r"^incomplete response from CLN"):
            read(transport)
        assert read(transport).body == b"success:true xmlrpc:true"


def test_nobody_listens(clients: Clients) -> None:
    """A refused connection is reported as refused, and not as a stale one."""
    with ScriptedServer(lambda _: None) as gone:
        pass
    with pytest.raises(UnreachableError, match="connection refused"):
        clients.client(gone.url).kernelcare.keys()
    assert [exchange.code for exchange in clients.exchanges] == ["unreachable"] * 3
