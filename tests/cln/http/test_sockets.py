"""One deadline for a whole call: connect, TLS handshake, send, and each byte of the response."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cln_monitor.cln import TimedOutError, UnreachableError
from cln_monitor.cln.http.sockets import call_deadline, connect
from cln_monitor.simulator import Fault, Served, Simulator
from tests.cln.asking import Clients, read
from tests.helpers.certificates import Authority
from tests.helpers.clock import TickingClock
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

TIMEOUT = 0.1
"""Seconds that a call has whose server never goes on; the clock stands still until it has come there."""
LONG = 30.0
"""Seconds that a call has whose server does go on, in seconds of the clock that ticks or is advanced."""
GOOD = http_answer(b"{}")


@pytest.fixture
def ticking(call_clock: TickingClock) -> TickingClock:
    """A clock that advances by a second with each look, and a call that reads byte by byte looks often."""
    call_clock.tick = 1
    return call_clock


@contextmanager
def cut_off(stage: str, clock: TickingClock, timeout: float = TIMEOUT) -> Iterator[None]:
    """Expect a call to time out by the machine's clock or by ``clock``, while at ``stage``."""
    started, since = time.monotonic(), clock.time()
    with pytest.raises(TimedOutError) as raised:
        yield
    took = time.monotonic() - started + clock.time() - since
    assert str(raised.value) == f"timed out after {timeout:.3g} s {stage}"
    assert not raised.value.transient
    assert timeout * 0.9 <= took < timeout + 10  # the machine may be busy with other things


def test_server_that_says_nothing(
    clients: Clients, simulator: Simulator, served: Served, call_clock: TickingClock
) -> None:
    """A call to a silent server times out."""
    simulator.faults.add(Fault("hang"))
    with cut_off("while waiting for the response", call_clock):
        read(clients.transport(served.url, timeout=TIMEOUT))


def test_headers_that_drip(clients: Clients, simulator: Simulator, served: Served, ticking: TickingClock) -> None:
    """A header that arrives byte by byte times out, although no single wait is long."""
    simulator.faults.add(Fault("drip_headers", seconds=0.01))
    with cut_off("while waiting for the response", ticking, LONG):
        read(clients.transport(served.url, timeout=LONG))


def test_body_that_drips(clients: Clients, simulator: Simulator, served: Served, ticking: TickingClock) -> None:
    """A body that arrives byte by byte times out."""
    simulator.faults.add(Fault("drip", seconds=0.01))
    with cut_off("while reading the response", ticking, LONG):
        read(clients.transport(served.url, timeout=LONG))


def test_chunks_that_drip(clients: Clients, ticking: TickingClock) -> None:
    """Chunks and chunk sizes that arrive byte by byte time out."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            for byte in b"1\r\nx\r\n":
                connection.sendall(bytes([byte]))
                time.sleep(0.01)

    with ScriptedServer(drip) as server, cut_off("while reading the response", ticking, LONG):
        read(clients.transport(server.url, timeout=LONG))


def test_answers_that_only_announce(clients: Clients, ticking: TickingClock) -> None:
    """Endless interim responses time out."""

    def announce(connection: socket.socket) -> None:
        read_head(connection)
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.01)

    with ScriptedServer(announce) as server, cut_off("while waiting for the response", ticking, LONG):
        read(clients.transport(server.url, timeout=LONG))


def test_redirect_whose_body_drips(clients: Clients, ticking: TickingClock) -> None:
    """The slow body of a redirect times out."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(http_answer(b"", "Location: /", status="302 Found").replace(b"Length: 0", b"Length: 999"))
        while True:
            connection.sendall(b"x")
            time.sleep(0.01)

    with ScriptedServer(drip) as server, cut_off("while reading the response", ticking, LONG):
        read(clients.transport(server.url, timeout=LONG))


def test_slow_body_within_the_deadline(clients: Clients, simulator: Simulator, served: Served) -> None:
    """A slow response that is complete before the deadline is used."""
    simulator.faults.add(Fault("answer", body=b"slow"))
    simulator.faults.add(Fault("latency", seconds=0.05))
    assert read(clients.transport(served.url, timeout=LONG)).body == b"slow"


def test_connection_that_is_used_again_has_a_deadline_too(
    clients: Clients, simulator: Simulator, served: Served, call_clock: TickingClock
) -> None:
    """The second call on a connection has a deadline of its own."""
    transport = clients.transport(served.url, timeout=LONG)
    read(transport)
    call_clock.advance(LONG / 2)
    simulator.faults.add(Fault("drip_headers", seconds=0.01))
    call_clock.tick = 1
    with cut_off("while waiting for the response", call_clock, LONG):
        read(transport)
    simulator.faults.clear()
    call_clock.tick = 0
    read(transport)
    ports = [request.client_port for request in simulator.requests]
    assert ports[0] == ports[1] != ports[2]


@pytest.fixture
def full() -> Iterator[int]:
    """A port with a full queue, which neither accepts nor refuses connections."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        yield port
        for each in waiting:
            each.close()


def test_connecting(clients: Clients, full: int, call_clock: TickingClock) -> None:
    """A call to a server that does not accept the connection times out."""
    with cut_off("while connecting", call_clock):
        read(clients.transport(f"http://127.0.0.1:{full}", timeout=TIMEOUT))


def addresses(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Resolve each host name to a loopback address for each of ``ports``."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_address_that_swallows_packets(
    clients: Clients, served: Served, full: int, monkeypatch: pytest.MonkeyPatch, call_clock: TickingClock
) -> None:
    """A dead address uses only its share of the time, so that other addresses are tried."""
    addresses(monkeypatch, full, served.port)

    def connect(attempt: socket.socket, address: tuple[str, int]) -> None:
        seconds = attempt.gettimeout() or 0.0
        if address[1] == full:
            attempt.settimeout(TIMEOUT)
        try:
            socket.socket.connect(attempt, address)
        except TimeoutError:
            call_clock.advance(seconds)  # as if it had been waited for so long
            raise

    monkeypatch.setattr("cln_monitor.cln.http.sockets._Socket.connect", connect, raising=False)
    since = call_clock.time()
    read(clients.transport(served.url, timeout=LONG))
    assert call_clock.time() - since == LONG / 2


def test_address_that_refuses(clients: Clients, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that refuses is skipped at once."""
    addresses(monkeypatch, closed_port(), served.port)
    assert read(clients.transport(served.url)).status == 200


def test_all_addresses_refuse(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """If all addresses refuse, the connection is reported as refused."""
    addresses(monkeypatch, closed_port(), closed_port())
    with pytest.raises(UnreachableError) as raised:
        read(clients.transport("http://cln.example.com"))
    assert str(raised.value) == "connection refused"


def test_no_addresses(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name without addresses is reported as such."""
    addresses(monkeypatch)
    with pytest.raises(UnreachableError) as raised:
        read(clients.transport("http://cln.example.com"))
    assert str(raised.value) == "cannot resolve the host name: no address associated with it"


def test_name_that_does_not_resolve(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name that cannot be resolved is reported as such."""

    def getaddrinfo(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(UnreachableError) as raised:
        read(clients.transport("http://cln.example.com"))
    assert str(raised.value) == "cannot resolve the host name: Name or service not known"
    assert len(clients.clock.slept) == 2


def test_no_time_is_left() -> None:
    """Nothing is started after the deadline."""
    with call_deadline(0), pytest.raises(TimeoutError, match="deadline exceeded"):
        connect("127.0.0.1", closed_port())


def test_no_route(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network error is reported in the words of the system."""

    def connect(*_: Any) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("cln_monitor.cln.http.sockets._Socket.connect", connect, raising=False)
    with pytest.raises(UnreachableError) as raised:
        read(clients.transport("http://127.0.0.1:9"))
    assert str(raised.value) == "Network is unreachable while connecting"
    assert raised.value.transient


def closed_port() -> int:
    """Return a port that refuses connections."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def test_handshake(clients: Clients, call_clock: TickingClock) -> None:
    """A server that never completes the TLS handshake is reported by a timeout during the handshake."""
    with ScriptedServer(lambda connection: connection.recv(1 << 16) and connection.recv(1)) as server:
        url = server.url.replace("http:", "https:")
        with cut_off("during the TLS handshake", call_clock):
            read(clients.transport(url, timeout=TIMEOUT))


def test_handshake_that_drips(clients: Clients, call_clock: TickingClock) -> None:
    """A TLS handshake that arrives byte by byte times out."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while True:
            connection.sendall(b"\x00")
            time.sleep(0.01)

    with ScriptedServer(drip) as server, cut_off("during the TLS handshake", call_clock):
        read(clients.transport(server.url.replace("http:", "https:"), timeout=TIMEOUT))


@pytest.mark.parametrize("stage", ["while waiting for the response", "while reading the response"])
def test_answer_over_tls_that_drips(clients: Clients, authority: Authority, ticking: TickingClock, stage: str) -> None:
    """A header or body over TLS that arrives byte by byte times out."""
    answer = http_answer(b"x" * 1000)
    at_once = answer.index(b"\r\n\r\n") + 4 if stage.endswith("reading the response") else 0

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(answer[:at_once])
        for byte in answer[at_once:]:
            connection.sendall(bytes([byte]))
            time.sleep(0.01)

    tls = authority.server_context("localhost")
    with ScriptedServer(drip, tls=tls) as server, cut_off(stage, ticking, LONG):
        read(clients.transport(server.url, timeout=LONG, ca_file=str(authority.file)))


def test_proxy_that_is_slow_and_then_silent(clients: Clients, call_clock: TickingClock) -> None:
    """The time that a proxy takes counts against the deadline of the call."""

    def slow(connection: socket.socket) -> None:
        read_head(connection)
        call_clock.advance(LONG - 2)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        while connection.recv(1 << 16):
            pass

    with ScriptedServer(slow) as proxy, cut_off("during the TLS handshake", call_clock, LONG):
        read(clients.transport("https://cln.example.com", timeout=LONG, proxy=proxy.url))


def test_tls_in_tls_that_drips(clients: Clients, authority: Authority, ticking: TickingClock) -> None:
    """The deadline applies to TLS through a TLS proxy."""

    def drip(connection: socket.socket) -> None:
        read_head(connection)
        for byte in b"HTTP/1.1 200 Connection established\r\n\r\n":
            connection.sendall(bytes([byte]))
        connection.recv(1 << 16)
        connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
        while True:
            connection.sendall(b"\x00")
            time.sleep(0.01)

    tls = authority.server_context("localhost")
    with ScriptedServer(drip, tls=tls) as proxy, cut_off("during the TLS handshake", ticking, LONG):
        read(clients.transport("https://cln.example.com", timeout=LONG, proxy=proxy.url, ca_file=str(authority.file)))


def test_calls_have_a_deadline_each(clients: Clients, call_clock: TickingClock) -> None:
    """A slow call does not reduce the time of the next one."""

    def slow(connection: socket.socket) -> None:
        while read_head(connection):
            call_clock.advance(LONG / 2)
            connection.sendall(GOOD)

    with ScriptedServer(slow) as server:
        transport = clients.transport(server.url, timeout=LONG)
        for _ in range(4):
            read(transport)
    assert server.connections == 1


def test_large_body_over_tls(clients: Clients, authority: Authority) -> None:
    """A body of several megabytes is received completely over TLS."""
    body = bytes(range(256)) * 20_000
    with ScriptedServer(answering(http_answer(body)), tls=authority.server_context("localhost")) as server:
        assert read(clients.transport(server.url, ca_file=str(authority.file))).body == body
