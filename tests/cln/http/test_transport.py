"""Requests are retried where that is safe, limited in number and size, observed, and reuse connections."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cln_monitor.cln import (
    BadAnswerError,
    ClnError,
    Deadline,
    InvalidArgumentError,
    TimedOutError,
    TransportSettings,
)
from cln_monitor.cln.endpoints import KERNELCARE_KEYS, STATUS_JSON
from cln_monitor.cln.http import answer as answer_module
from cln_monitor.simulator import Fault, Served, Simulator
from tests.cln.asking import Clients, enveloped, read
from tests.helpers.clock import NOW, FakeClock
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

GOOD = http_answer(b'{"success": true, "data": {}}')


def test_deadline_has_passed(clients: Clients, simulator: Simulator, served: Served) -> None:
    """After the deadline nothing is sent, and the error says so."""
    with pytest.raises(TimedOutError):
        read(clients.transport(served.url), deadline=Deadline(0, clients.clock))
    assert simulator.requests == []


def test_deadline_passes_while_the_token_is_made(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A secret that takes too long to read causes a timeout, not an unreachable CLN."""
    transport = clients.transport(served.url)
    deadline = Deadline(1, clients.clock)

    def query() -> dict[str, str]:
        clients.clock.advance(2)
        return {}

    with pytest.raises(TimedOutError) as raised:
        transport.read(STATUS_JSON, dict, query, lambda answer: answer, deadline)
    assert str(raised.value) == "deadline exceeded; request not sent"
    assert simulator.requests == []


@pytest.mark.usefixtures("call_clock")
def test_deadline_cuts_the_time_out(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A call gets the rest of the deadline if that is shorter than its timeout."""
    simulator.faults.add(Fault("hang"))
    with pytest.raises(TimedOutError) as raised:
        read(clients.transport(served.url, timeout=60), deadline=Deadline(0.1, clients.clock))
    assert str(raised.value) == "timed out after 0.1 s while waiting for the response"


def test_each_request_has_a_token_of_its_own(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A retry makes a new token, which CLN accepts after any wait."""
    simulator.faults.add(Fault("status", status=429, retry_after=25, times=2))
    clients.client(served.url).kernelcare.keys()
    stamps = [int(request.query["token"].split("|")[1]) for request in simulator.requests]
    assert stamps == [NOW, NOW + 25, NOW + 50]


def test_token_is_made_when_it_is_sent(clients: Clients, simulator: Simulator, served: Served) -> None:
    """The token is made after waiting for a slot, so that it is not old."""
    client = clients.client(served.url, requests_per_second=0.001)
    client.kernelcare.keys()
    client.kernelcare.keys()
    stamps = [int(request.query["token"].split("|")[1]) for request in simulator.requests]
    assert stamps == [NOW, NOW + 1000]


def test_calls_a_second(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Calls to a host, and their retries, are spaced."""
    transport = clients.transport(served.url, requests_per_second=0.5)
    simulator.faults.add(Fault("reset", times=1))
    for _ in range(3):
        read(transport)
    assert len(simulator.requests) == 4
    assert clients.clock.monotonic() == pytest.approx(6)


def test_calls_in_flight_and_connections(clients: Clients) -> None:
    """Neither concurrent calls nor open connections exceed the limit, with any number of threads."""
    three = threading.Barrier(3)
    answered = []

    def three_at_a_time(connection: socket.socket) -> None:
        while read_head(connection):
            answered.append(three.wait(10))
            connection.sendall(GOOD)

    with ScriptedServer(three_at_a_time) as server, ThreadPoolExecutor(12) as pool:
        transport = clients.transport(server.url, concurrency=3, timeout=20)
        list(pool.map(lambda _: read(transport), range(24)))
        assert len(answered) == 24
        assert server.connections == 3


def test_one_connection_for_many_calls(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A connection is reused as long as it gives good responses."""
    transport = clients.transport(served.url)
    for _ in range(10):
        read(transport)
    assert len({request.client_port for request in simulator.requests}) == 1


def test_connection_that_went_stale(clients: Clients) -> None:
    """A connection that the server closed in the meantime causes no error."""

    closed = threading.Semaphore(0)

    def one_answer_a_connection(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(GOOD)
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    with ScriptedServer(one_answer_a_connection) as server:
        transport = clients.transport(server.url)
        for _ in range(3):
            read(transport)
            assert closed.acquire(timeout=5)
    assert server.connections == 3
    assert len(clients.exchanges) == 3


def test_gzip(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Responses are requested in gzip, and decompressed."""
    answer = read(clients.transport(served.url))
    assert simulator.requests[0].headers["accept-encoding"] == "gzip"
    assert answer.body.startswith(b'{"message": null')


def test_gzip_that_is_none(clients: Clients) -> None:
    """A body that is not valid gzip is a bad answer."""
    answer = http_answer(b"no gzip", "Content-Encoding: gzip")
    with ScriptedServer(answering(answer)) as server, pytest.raises(BadAnswerError) as raised:
        read(clients.transport(server.url))
    assert str(raised.value) == "unexpected response from CLN: invalid gzip data"


def test_gzip_that_is_cut(clients: Clients) -> None:
    """A truncated gzip body is not taken for a complete list."""
    packed = gzip.compress(b'{"success": true, "data": [' + b'{"key": "A"},' * 1000 + b'{"key": "B"}]}')
    answer = http_answer(packed[:-20], "Content-Encoding: gzip")
    with ScriptedServer(answering(answer)) as server, pytest.raises(BadAnswerError):
        clients.client(server.url).kernelcare.keys()


@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "a gzip bomb"])
def test_huge_body(
    clients: Clients, simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """A body is read up to the limit of its decompressed size."""
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 3 << 20)
    simulator.faults.add(Fault("huge", size=1 << 33, gzip=packed))
    started = time.thread_time()
    with pytest.raises(BadAnswerError) as raised:
        read(clients.transport(served.url, timeout=20))
    assert str(raised.value) == "unexpected response from CLN: larger than 3 MB"
    assert not raised.value.transient
    assert time.thread_time() - started < 2


def test_body_at_its_bound(
    clients: Clients, simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of exactly the maximum size is read."""
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 1 << 20)
    simulator.faults.add(Fault("huge", size=1 << 20))
    assert len(read(clients.transport(served.url)).body) == 1 << 20
    assert answer_module.LARGEST_BODY == 1 << 20


class Places(threading.Semaphore):
    """A semaphore that never waits; ``waits`` records the timeouts."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.waits: list[float] = []

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Acquire a slot if one is free."""
        if timeout is None:
            return super().acquire(blocking)
        self.waits.append(timeout)
        return super().acquire(blocking=False)


@pytest.mark.usefixtures("call_clock")
def test_large_bodies_take_turns(
    clients: Clients, simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large bodies are read in turn: each releases its slot, also if it is too large, while others wait."""
    monkeypatch.setattr(answer_module, "_LARGE_BODY", 1 << 20)
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 3 << 20)
    places = Places(1)
    monkeypatch.setattr(answer_module, "_large_bodies", places)
    simulator.faults.add(Fault("huge", size=2 << 20))
    for _ in range(2):
        assert len(read(clients.transport(served.url)).body) == 2 << 20
    simulator.faults.clear()
    simulator.faults.add(Fault("huge", size=4 << 20))
    for _ in range(2):
        with pytest.raises(BadAnswerError, match="larger than 3 MB"):
            read(clients.transport(served.url))
    places.waits.clear()
    with places:
        with pytest.raises(TimedOutError, match="while reading the response"):
            read(clients.transport(served.url, timeout=7))
        assert places.waits == [7]
        simulator.faults.clear()
        simulator.faults.add(Fault("huge", size=1 << 20))
        assert len(read(clients.transport(served.url)).body) == 1 << 20


def test_chunked_body(clients: Clients) -> None:
    """The chunks of a body are joined."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with ScriptedServer(answering(head + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")) as server:
        assert read(clients.transport(server.url)).body == b"hello world"


def test_chunks_that_are_cut(clients: Clients) -> None:
    """A truncated chunked body is an incomplete response, and retried."""

    def cut(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")

    with ScriptedServer(cut) as server, pytest.raises(BadAnswerError) as raised:
        read(clients.transport(server.url))
    assert str(raised.value) == "incomplete response from CLN: the connection was closed before the end of the body"
    assert server.connections == 3


def test_byte_order_mark(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A UTF-8 byte order mark before a JSON or plain-text response is ignored."""
    client = clients.client(served.url)
    for path, text in {
        "/kcare/key/list.json": '{"success": true, "data": []}',
        "/status.json": "<html>",
        "/status.plain": "success:true xmlrpc:true",
        "/kcare/nagios/*": "KernelCare OK",
    }.items():
        simulator.faults.add(Fault("answer", path, body=text.encode("utf-8-sig")))
    assert client.kernelcare.keys() == []
    assert client.status.flags().flags == {"xmlrpc": True}
    assert client.patch_status.for_key("WsTs821nSAtiastD").ok


def test_exchanges_are_observed(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Each request is observed with template, status or reason, seconds, and clock skew."""
    simulator.faults.add(Fault("skew", seconds=90))
    simulator.faults.add(Fault("status", status=500, times=1))
    simulator.faults.add(Fault("reset", times=1))
    clients.client(served.url).imunify.keys()
    host = served.url.split("/")[2]
    seen = [(exchange.api, exchange.endpoint, exchange.code) for exchange in clients.exchanges]
    assert seen == [(host, "/im/key/list.json", code) for code in ("500", "unreachable", "200")]
    assert [exchange.clock_skew for exchange in clients.exchanges] == [90, None, pytest.approx(90, abs=1)]
    assert all(0 < exchange.seconds < 5 for exchange in clients.exchanges)


@pytest.mark.usefixtures("call_clock")
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault("hang"), "timeout"),
        (Fault("garbage"), "bad_answer"),
        (Fault("huge", size=1 << 33), "bad_answer"),
        (Fault("status", status=429, retry_after=100), "429"),
        (Fault("redirect", location="/"), "302"),
        (Fault("html"), "200"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else value,
)
def test_code_of_an_exchange(
    *,
    clients: Clients,
    simulator: Simulator,
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    code: str,
) -> None:
    """The observed code is the HTTP status, or the reason of the failure."""
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 1 << 20)
    simulator.faults.add(fault)
    with pytest.raises(ClnError):
        clients.client(served.url, timeout=0.1 if fault.kind == "hang" else 10).kernelcare.keys()
    assert [exchange.code for exchange in clients.exchanges] == [code]


def test_call_without_a_turn_is_no_exchange(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A call that was never sent is not observed."""
    with pytest.raises(TimedOutError):
        read(clients.transport(served.url), deadline=Deadline(0, clients.clock))
    with pytest.raises(InvalidArgumentError):
        clients.client(served.url).patch_status.for_key("register_key.plain")
    assert clients.exchanges == []
    assert simulator.requests == []


def test_clocks_are_compared_when_the_answer_begins(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow body does not count as clock skew."""
    asked, compared = threading.Event(), threading.Event()
    time_now = clients.clock.time

    def noticed_time() -> float:
        if asked.is_set():
            compared.set()
        return time_now()

    monkeypatch.setattr(clients.clock, "time", noticed_time)

    def slow_body(connection: socket.socket) -> None:
        read_head(connection)
        asked.set()
        answer = http_answer(b"body", f"Date: {formatdate(NOW, usegmt=True)}")
        connection.sendall(answer[:-4])
        compared.wait(10)
        clients.clock.advance(30)
        connection.sendall(answer[-4:])

    with ScriptedServer(slow_body) as server:
        read(clients.transport(server.url))
    assert [exchange.clock_skew for exchange in clients.exchanges] == [0]


def test_answer_without_a_date(clients: Clients) -> None:
    """A response without a date gives no clock skew."""
    with ScriptedServer(answering(http_answer(b"", "Date: not a date"))) as server:
        read(clients.transport(server.url))
    assert [exchange.clock_skew for exchange in clients.exchanges] == [None]


def test_label_where_the_host_is_not_enough(clients: Clients, served: Served) -> None:
    """Two roots on one host are distinguished by their label, in errors and observed requests."""
    client = clients.client(served.url + "/nowhere", label="cln.example.com/nowhere")
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.keys()
    assert raised.value.attempted == "reading /kcare/key/list.json at cln.example.com/nowhere"
    assert [exchange.api for exchange in clients.exchanges] == ["cln.example.com/nowhere"]


@pytest.mark.parametrize(
    ("api_url", "host"),
    [
        ("https://cln.cloudlinux.com/api", "cln.cloudlinux.com"),
        ("https://eportal.example.com:8443/admin/api", "eportal.example.com:8443"),
        ("https://me:planted@cln.example.com/api", "cln.example.com"),
        ("http://[::1]:8080/api", "[::1]:8080"),
    ],
)
def test_host_of_an_api_root(api_url: str, host: str) -> None:
    """The host is that of the URL, with its port and without credentials."""
    assert TransportSettings(api_url).host == host
    assert TransportSettings(api_url).api == host


def test_another_root(clients: Clients, simulator: Simulator, served: Served) -> None:
    """The API root can be set, as an ePortal has another path."""
    with pytest.raises(BadAnswerError):
        clients.client(served.url.replace("/api", "/admin/api")).patch_status.for_key("WsTs821nSAtiastD")
    assert simulator.requests[0].target == "/admin/api/kcare/nagios/WsTs821nSAtiastD"


def test_closed_connections_are_opened_anew(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A closed transport holds no connection, and reconnects for the next call."""
    transport = clients.transport(served.url)
    read(transport)
    transport.close()
    read(transport)
    assert len({request.client_port for request in simulator.requests}) == 2


def test_allow_list_holds_for_equal_templates(clients: Clients, served: Served) -> None:
    """Whether an endpoint is read-only depends on its template."""
    assert type(KERNELCARE_KEYS)("/kcare/key/list.json") == KERNELCARE_KEYS
    with pytest.raises(PermissionError):
        read(clients.transport(served.url), type(KERNELCARE_KEYS)("/kcare/key/list.json/../delete.json"))


def test_threads_do_not_share_deadlines(clients: Clients) -> None:
    """A call that times out does not affect calls of other threads."""
    asked, cut = threading.Event(), threading.Event()

    def answer_after_the_cut(connection: socket.socket) -> None:
        if b"/im/" in read_head(connection):
            asked.set()
            assert cut.wait(10)
            connection.sendall(http_answer(enveloped([])))
        else:
            connection.recv(1)

    with ScriptedServer(answer_after_the_cut) as server, ThreadPoolExecutor(1) as pool:
        client = clients.client(server.url, timeout=20)
        waiting = pool.submit(client.imunify.keys)
        assert asked.wait(10)
        with pytest.raises(TimedOutError):
            client.within(Deadline(0.1, FakeClock())).kernelcare.keys()
        cut.set()
        assert waiting.result(20) == []


_LINES = [
    "HTTP/1.1 200 OK",
    "HTTP/1.1 302 Found",
    "HTTP/1.1 100 Continue",
    "HTTP/1.1 204 No Content",
    "HTTP/1.1 999",
    "HTTP/1.1 -1 Odd",
    "HTTP/9.9 200 OK",
    "ICY 200 OK",
    "Content-Length: 2",
    "Content-Length: 99999999999999999999",
    "Content-Length: -1",
    "Content-Length: 1, 2",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Content-Encoding: gzip",
    "Content-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, gzip",
    "Content-Encoding: deflate",
    "Content-Encoding: br",
    'Content-Type: text/html; charset="',
    "Content-Type: ;;=;",
    "Set-Cookie: a=b; expires=\xff; =; max-age=x",
    "Location: http://[",
    "Location: \xff",
    "Retry-After: \xb2",
    "Date: Wed, 99 Foo 99999 99:99:99 +9999",
    "Connection: upgrade",
    "Connection: close",
    ": no name",
    " folded",
    "",
    "",
    "{}",
    "5",
    "ffffffffffffffffffff",
    "0",
]


def test_any_bytes_of_a_server(clients: Clients) -> None:
    """Any bytes of a server give a response or a ClnError."""
    sends = b""

    def script(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(sends)

    with ScriptedServer(script) as server:
        transport = clients.transport(server.url)

        @given(
            st.binary()
            | st.lists(st.sampled_from(_LINES)).map(lambda lines: "\r\n".join(lines).encode("latin-1"))
            | st.lists(st.sampled_from(_LINES)).map(
                lambda lines: "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode("latin-1")
            )
        )
        def send(data: bytes) -> None:
            nonlocal sends
            sends = data
            with contextlib.suppress(ClnError):
                read(transport)

        send()
