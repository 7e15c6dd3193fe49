"""Valid and invalid HTTP requests: a table of cases against a running exporter (RFC 9110, RFC 9112)."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from cln_monitor.exporter.web.protocol import prefers_gzip, prefers_openmetrics
from cln_monitor.simulator import Fault, serve
from tests.helpers.running import PATIENCE, Exporter, running_exporter, wait_until
from tests.helpers.small_cln import small_cln, write_config

GET = "GET /-/healthy HTTP/1.1\r\n"
HOST = "Host: x\r\n"
STAYS, ENDS = "stays", "ends"
AFTER = (200, 503)
"""The status of another request, by whether the exporter is ready yet."""

REQUESTS = {
    # What asks for a path
    "a request": (GET + HOST, [200], STAYS),
    "two at once": (f"{GET}{HOST}\r\n{GET}{HOST}", [200, 200], STAYS),
    "a query": (f"GET /-/healthy?a=1 HTTP/1.1\r\n{HOST}", [200], STAYS),
    "a query of anything": (f"GET /-/healthy?%ff=%zz HTTP/1.1\r\n{HOST}", [200], STAYS),
    "an escaped path": (f"GET /%2d/healthy HTTP/1.1\r\n{HOST}", [200], STAYS),
    "another path": (f"GET /-/healthy/ HTTP/1.1\r\n{HOST}", [404], STAYS),
    "a path above": (f"GET /../-/healthy HTTP/1.1\r\n{HOST}", [404], STAYS),
    "two slashes": (f"GET //-/healthy HTTP/1.1\r\n{HOST}", [404], STAYS),
    "no slash": (f"GET -/healthy HTTP/1.1\r\n{HOST}", [404], STAYS),
    "a fragment": (f"GET /-/healthy#here HTTP/1.1\r\n{HOST}", [404], STAYS),
    "the whole address": (f"GET http://x/-/healthy HTTP/1.1\r\n{HOST}", [200], STAYS),
    "the whole address in capitals": (f"GET HTTP://X:99/-/healthy?a=1 HTTP/1.1\r\n{HOST}", [200], STAYS),
    "the whole address with TLS": (f"GET https://[::1]:99/-/healthy HTTP/1.1\r\n{HOST}", [200], STAYS),
    "an address without a path": (f"GET http://x HTTP/1.1\r\n{HOST}", [200], STAYS),
    "an address of another kind": (f"GET ftp://x/-/healthy HTTP/1.1\r\n{HOST}", [404], STAYS),
    "the server itself": (f"OPTIONS * HTTP/1.1\r\n{HOST}", [404], STAYS),
    "a tunnel": (f"CONNECT x:80 HTTP/1.1\r\n{HOST}", [404], STAYS),
    "an empty line before": (f"\r\n{GET}{HOST}", [200], STAYS),
    "empty lines before": (f"\r\n\r\n\r\n{GET}{HOST}", [200], STAYS),
    "an empty line between": (f"{GET}{HOST}\r\n\r\n{GET}{HOST}", [200, 400], None),
    "lines without CR": ("GET /-/healthy HTTP/1.1\nHost: x\n", [200], STAYS),
    # Methods
    "a head": (f"HEAD /-/healthy HTTP/1.1\r\n{HOST}", [200], STAYS),
    "a post": (f"POST /-/healthy HTTP/1.1\r\n{HOST}Content-Length: 0\r\n", [405], STAYS),
    "a put": (f"PUT /metrics HTTP/1.1\r\n{HOST}Content-Length: 0\r\n", [405], STAYS),
    "a delete": (f"DELETE / HTTP/1.1\r\n{HOST}", [405], STAYS),
    "a trace": (f"TRACE / HTTP/1.1\r\n{HOST}", [405], STAYS),
    "small letters": (f"get /-/healthy HTTP/1.1\r\n{HOST}", [405], STAYS),
    "a method that is none": (f"G@T /-/healthy HTTP/1.1\r\n{HOST}", [400], ENDS),
    "no method": (f"/-/healthy HTTP/1.1\r\n{HOST}", [400], ENDS),
    # Versions
    "HTTP/1.0": ("GET /-/healthy HTTP/1.0\r\n", [200], ENDS),
    "HTTP/1.0 with a host": (f"GET /-/healthy HTTP/1.0\r\n{HOST}", [200], ENDS),
    "HTTP/1.2": (f"GET /-/healthy HTTP/1.2\r\n{HOST}", [200], STAYS),
    "HTTP/2.0": (f"GET /-/healthy HTTP/2.0\r\n{HOST}", [505], ENDS),
    "HTTP/0.9 by number": (f"GET /-/healthy HTTP/0.9\r\n{HOST}", [505], ENDS),
    "HTTP/3.0": (f"GET /-/healthy HTTP/3.0\r\n{HOST}", [505], ENDS),
    "HTTP/0.9": ("GET /-/healthy\r\n", [400], ENDS),
    "the preface of HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n", [505], ENDS),
    "HTTP/11": (f"GET /-/healthy HTTP/11\r\n{HOST}", [400], ENDS),
    "http/1.1": (f"GET /-/healthy http/1.1\r\n{HOST}", [400], ENDS),
    "HTTP/1.1.1": (f"GET /-/healthy HTTP/1.1.1\r\n{HOST}", [400], ENDS),
    "HTTP/1": (f"GET /-/healthy HTTP/1\r\n{HOST}", [400], ENDS),
    "a blank too many": (f"GET  /-/healthy HTTP/1.1\r\n{HOST}", [400], ENDS),
    "a blank in the path": (f"GET /-/heal thy HTTP/1.1\r\n{HOST}", [400], ENDS),
    "a tab": (f"GET\t/-/healthy HTTP/1.1\r\n{HOST}", [400], ENDS),
    "a path that is not ASCII": (f"GET /ä HTTP/1.1\r\n{HOST}", [400], ENDS),
    # The host
    "no host": (GET, [400], ENDS),
    "two hosts": (f"{GET}{HOST}Host: y\r\n", [400], ENDS),
    "the host twice": (f"{GET}{HOST}{HOST}", [400], ENDS),
    "an empty host": (f"{GET}Host: \r\n", [200], STAYS),
    "a host with a port": (f"{GET}Host: x:10099\r\n", [200], STAYS),
    "an address": (f"{GET}Host: 192.0.2.1:80\r\n", [200], STAYS),
    "an address of IPv6": (f"{GET}Host: [2001:db8::1]:80\r\n", [200], STAYS),
    "an address of IPv6 in the open": (f"{GET}Host: 2001:db8::1\r\n", [400], ENDS),
    "a host with a blank": (f"{GET}Host: a b\r\n", [400], ENDS),
    "a host with a path": (f"{GET}Host: a/b\r\n", [400], ENDS),
    "a host with a user": (f"{GET}Host: a@b\r\n", [400], ENDS),
    "a port that is none": (f"{GET}Host: x:port\r\n", [400], ENDS),
    "a host that is not ASCII": (f"{GET}Host: ä\r\n", [400], ENDS),
    "a host in brackets": (f"{GET}Host: <x>\r\n", [400], ENDS),
    # Headers
    "a blank before the colon": (f"{GET}Host : x\r\n", [400], ENDS),
    "a folded header": (f"{GET}{HOST} folded: y\r\n", [400], ENDS),
    "a header without a colon": (f"{GET}{HOST}nonsense\r\n", [400], ENDS),
    "a header without a name": (f"{GET}{HOST}: x\r\n", [400], ENDS),
    "a zero in a name": (f"{GET}{HOST}X\0Y: 1\r\n", [400], ENDS),
    "a zero in a value": (f"{GET}{HOST}X: a\0b\r\n", [400], ENDS),
    "a CR in a value": (f"{GET}{HOST}X: a\rb\r\n", [400], ENDS),
    "a path of 70 KB": (f"GET /{'a' * 70_000} HTTP/1.1\r\n{HOST}", [400, 404], None),
    "a header of 70 KB": (f"{GET}{HOST}X: {'a' * 70_000}\r\n", [200, 400], None),
    "close": (f"{GET}{HOST}Connection: close\r\n", [200], ENDS),
    "expects nonsense": (f"{GET}{HOST}Expect: nonsense\r\n", [200], STAYS),
    "wants WebSocket": (f"{GET}{HOST}Upgrade: websocket\r\nConnection: Upgrade\r\n", [200], STAYS),
    "wants HTTP/2": (f"{GET}{HOST}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n", [200], STAYS),
    # Bodies
    "a chunked body": (f"{GET}{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n", [411], ENDS),
    "chunked and a length": (f"{GET}{HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n", [411], ENDS),
    "a length and chunked": (f"{GET}{HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", [411], ENDS),
    "gzip as a transfer": (f"{GET}{HOST}Transfer-Encoding: gzip\r\n", [400], ENDS),
    "chunked twice": (f"{GET}{HOST}Transfer-Encoding: chunked, chunked\r\n", [400], ENDS),
    "two lengths": (f"{GET}{HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", [400], ENDS),
    "a length that is none": (f"{GET}{HOST}Content-Length: +5\r\n\r\nhello", [400], ENDS),
    "a length below zero": (f"{GET}{HOST}Content-Length: -1\r\n", [400], ENDS),
    "a length in hex": (f"{GET}{HOST}Content-Length: 0x5\r\n\r\nhello", [400], ENDS),
    "a large body": (f"{GET}{HOST}Content-Length: 99999\r\n", [413], ENDS),
    "no HTTP at all": ("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\0\0", [400], ENDS),
}
"""Requests by what is special in them, without the empty line at their end: the status of each answer, and whether the
connection goes on. Where there are two statuses and nothing is said of the connection, either of them will do."""


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    """Return a running exporter."""
    with running_exporter(tmp_path_factory.mktemp("protocol"), "--demo") as exporter:
        yield exporter


def answers(address: str, request: str) -> list[int]:
    """Return the status codes of the responses, including that of a following request if the connection stays open."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.sendall(f"{request}\r\n".encode("latin-1"))
        got = b""
        # Another request tells whether the connection goes on, without waiting for nothing.
        with contextlib.suppress(OSError):
            sock.sendall(b"GET /-/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while piece := sock.recv(1 << 16):
                got += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d\d\d) ", got)]


@pytest.mark.processes
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request(name: str, exporter: Exporter) -> None:
    """Invalid requests are rejected, and the connection is closed if the next request cannot be located."""
    request, expected, connection = REQUESTS[name]
    statuses = answers(exporter.address, request)
    if connection is None:
        assert set(statuses) <= {*expected, *AFTER}
    elif connection == STAYS:
        assert statuses[:-1] == expected
        assert statuses[-1] in AFTER
    else:
        assert statuses == expected


@pytest.mark.processes
@pytest.mark.parametrize("start", [b"\r\n", b"\n", b"\r\n\r\n", b"\r"])
def test_an_empty_line_by_itself(start: bytes, exporter: Exporter) -> None:
    """An empty line before a request, in its own packet, is skipped."""
    host, port = exporter.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            sock.sendall(start)
            assert exporter.ask("/-/healthy").status == 200  # which has taken what was sent before
            for byte in f"{GET}{HOST}\r\n".encode():
                sock.sendall(bytes([byte]))
            got = b""
            while b"healthy\n" not in got:
                got += sock.recv(1 << 16)
            assert got.startswith(b"HTTP/1.1 200 ")


def test_there_are_eighty() -> None:
    """The table keeps its number of cases."""
    assert len(REQUESTS) >= 80


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("APPLICATION/OpenMetrics-Text; version=1.0.0", True),
        ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1", True),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.7", False),
        ("text/plain;q=0.7, application/openmetrics-text;q=0.7", True),
        ("application/openmetrics-text;q=0.3, text/*;q=0.9", False),
        ("application/openmetrics-text;q=0.3, */*;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nonsense", False),
        ("application/openmetrics-text;q=2", False),
        (";,=q", False),
    ],
)
def test_openmetrics(accept: str, openmetrics: bool) -> None:
    """OpenMetrics is chosen if the client names it and prefers no other format."""
    assert prefers_openmetrics(accept) == openmetrics


@pytest.mark.parametrize(
    ("header", "gzip"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip ; q=1.0", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip;q=0, *", False),
        ("gzip;q=0.5, identity;q=0.9", False),
        ("gzip;q=0.5, identity;q=0.5", True),
        ("deflate, gzip;q=0, br", False),
        ("xgzip", False),
        ("gzip-9", False),
        (";,=q", False),
    ],
)
def test_gzip(header: str, gzip: bool) -> None:
    """Gzip is chosen if the client accepts it and does not prefer identity."""
    assert prefers_gzip(header) == gzip


@pytest.mark.processes
def test_a_stop_while_somebody_waits(tmp_path: Path) -> None:
    """At shutdown, requests in progress get a response or none, and the log has no traceback."""
    simulator = small_cln()
    with serve(simulator) as served:
        config = write_config(tmp_path, served.url)
        with running_exporter(tmp_path, f"--config.file={config}") as exporter:
            exporter.wait_ready()
            simulator.faults.add(Fault("hang"))
            host, port = exporter.address.rsplit(":", 1)
            with socket.create_connection((host, int(port)), PATIENCE) as sock:
                sock.sendall(b"GET /probe?account=acme&probe=imunify HTTP/1.1\r\nHost: x\r\n\r\n")
                simulator.clear_requests()
                wait_until(lambda: simulator.requests, "the exporter to ask")
                code, _ = exporter.stop()
                answer = sock.recv(1 << 16)
            assert code == 0
            assert answer == b"" or answer.startswith(b"HTTP/1.1 503 ")
            assert "Traceback" not in exporter.log


@pytest.mark.processes
def test_a_flood_of_guesses(tmp_path: Path) -> None:
    """During a flood of login attempts from forty addresses a first correct login succeeds."""
    users = tmp_path / "web.yml"
    hashed = bcrypt.hashpw(b"right", bcrypt.gensalt(8)).decode()
    users.write_text(f"basic_auth_users: {{prometheus: {hashed}}}\n")
    with running_exporter(tmp_path, "--demo", f"--web.config.file={users}") as exporter:
        host, port = exporter.address.rsplit(":", 1)
        over, guessed = threading.Event(), []

        def guess(number: int) -> None:
            while not over.is_set():
                source = (f"127.0.1.{number}", 0)
                with contextlib.suppress(OSError):
                    guessed.append(_status(host, int(port), f"prometheus:wrong {number}", source))

        guessers = [threading.Thread(target=guess, args=(number,)) for number in range(1, 41)]
        for thread in guessers:
            thread.start()
        try:
            started = time.monotonic()
            assert _status(host, int(port), "prometheus:right", ("127.0.0.1", 0)) == 200
            taken = time.monotonic() - started
            wait_until(lambda: len(guessed) > 60, "guesses")
        finally:
            over.set()
            for thread in guessers:
                thread.join(PATIENCE)
        assert set(guessed) <= {401, 503}
        # As new as the forty it waits for each of them once at most, which is less than a second of one core; where
        # others use the cores too, for as long as that takes.
        assert taken < PATIENCE / 2


@pytest.mark.processes
def test_guessers_who_hang_up(tmp_path: Path) -> None:
    """Disconnected login attempts have no effect on a later login."""
    users = tmp_path / "web.yml"
    users.write_text(f"basic_auth_users: {{prometheus: '{bcrypt.hashpw(b'right', bcrypt.gensalt(4)).decode()}'}}\n")
    with running_exporter(tmp_path, "--demo", f"--web.config.file={users}") as exporter:
        host, port = exporter.address.rsplit(":", 1)
        guess = base64.b64encode(b"nobody:wrong").decode()
        for _ in range(12):
            with contextlib.ExitStack() as stack:
                for _ in range(40):
                    sock = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # ends with a reset
                    sock.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {guess}\r\n\r\n".encode())
        assert _status(host, int(port), "prometheus:right", ("127.0.0.2", 0)) == 200
        assert "Traceback" not in exporter.log


def _status(host: str, port: int, credentials: str, source: tuple[str, int]) -> int:
    """Return the status code of a request from the address ``source``."""
    header = base64.b64encode(credentials.encode()).decode()
    with socket.create_connection((host, port), PATIENCE, source) as sock:
        sock.sendall(f"GET /-/healthy HTTP/1.0\r\nAuthorization: Basic {header}\r\n\r\n".encode())
        return int(sock.recv(1 << 16).split()[1])
