"""The exporter process with idle clients: scrapes are not delayed, and memory stays low."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.running import CLN_EXPORTER, PATIENCE, Program, running_exporter, wait_until

from .web_configs import TLS, write_files

pytestmark = pytest.mark.processes

SILENT = 500
FILES = 200
_PATIENTLY = """
from cln_monitor.exporter import __main__ as program
from cln_monitor.exporter.web import connections
connections._HANDSHAKE = connections._HEAD = 600
program.run()
"""
PATIENT = (
    sys.executable,
    "-c",
    _PATIENTLY,
)
"""An exporter that leaves silent clients alone for as long as a busy machine takes to open and to count them."""
ENDED_AFTER = 10
"""Seconds after which others end a silent client. Who is served sooner has waited for none."""
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"  # how a handshake of TLS begins


def _scrape(address: str, tls: ssl.SSLContext | None) -> float:
    """Return the duration of a scrape on a new connection in seconds."""
    started = time.monotonic()
    host, _, port = address.rpartition(":")
    connection = (
        http.client.HTTPConnection(host, int(port), timeout=20)
        if tls is None
        else http.client.HTTPSConnection(host, int(port), timeout=20, context=tls)
    )
    with contextlib.closing(connection):
        connection.request("GET", "/metrics")
        with connection.getresponse() as answer:
            assert (answer.status, b"cln_exporter_build_info" in answer.read()) == (200, True)
    return time.monotonic() - started


@contextlib.contextmanager
def _silent(address: str, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    """Yield ``count`` open connections that have sent some data, and nothing more."""
    host, _, port = address.rpartition(":")
    clients = []
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            client = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            with contextlib.suppress(ConnectionError):
                client.sendall(said)
            clients.append(client)
        yield clients


def _standing(program: Program, field: str) -> int:
    status = Path(f"/proc/{program.process.pid}/status").read_text(encoding="utf-8")
    return int(re.findall(rf"{field}:\s+(\d+)", status)[0])


def _files(program: Program) -> int:
    return len(list(Path(f"/proc/{program.process.pid}/fd").iterdir()))


@pytest.mark.parametrize(
    ("encrypted", "said"),
    [(False, b""), (False, b"GET /metrics HTTP/1.1\r\nX-Slow: "), (True, b""), (True, HELLO)],
    ids=["plain", "plain-half-a-head", "tls", "tls-half-a-handshake"],
)
def test_a_scrape_among_silent_clients(encrypted: bool, said: bytes, tmp_path: Path) -> None:
    """500 idle connections do not delay a scrape, and use no threads and little memory."""
    authority = write_files(tmp_path)
    (tmp_path / "web.yml").write_text(TLS + "}")
    arguments = [f"--web.config.file={tmp_path / 'web.yml'}"] if encrypted else []
    tls = ssl.create_default_context(cafile=authority.file) if encrypted else None
    with running_exporter(tmp_path, "--demo", *arguments, program=PATIENT) as exporter:
        _scrape(exporter.address, tls)
        files, memory = _files(exporter), _standing(exporter, "VmRSS")
        with _silent(exporter.address, SILENT, said):
            wait_until(lambda: _files(exporter) > files + SILENT // 2, "the silent connections to be taken")
            times = [_scrape(exporter.address, tls) for _ in range(5)]
            assert max(times) < ENDED_AFTER * 0.8, times
            assert _files(exporter) > files + SILENT // 2
            assert _standing(exporter, "VmRSS") < memory + 100_000  # KiB: in which the demo itself still grows
            assert _standing(exporter, "Threads") < 60
        assert exporter.stop()[0] == 0
    assert "level=error" not in exporter.log


def test_silent_clients_are_ended(tmp_path: Path) -> None:
    """Connections with an incomplete TLS handshake are closed after the timeout."""
    authority = write_files(tmp_path)
    (tmp_path / "web.yml").write_text(TLS + "}")
    tls = ssl.create_default_context(cafile=authority.file)
    with running_exporter(tmp_path, "--demo", f"--web.config.file={tmp_path / 'web.yml'}") as exporter:
        _scrape(exporter.address, tls)
        files = _files(exporter)
        with _silent(exporter.address, SILENT, HELLO) as clients:
            for client in clients:
                client.settimeout(PATIENCE)
                with contextlib.suppress(ConnectionResetError):
                    assert client.recv(1) == b""
            wait_until(lambda: _files(exporter) < files + 50, "the silent connections to be closed")
            assert _scrape(exporter.address, tls) < ENDED_AFTER * 0.8
        assert exporter.stop()[0] == 0
    assert "level=error" not in exporter.log


def test_more_clients_than_files(tmp_path: Path) -> None:
    """With a low limit of open files, the oldest idle connections are closed for a scrape and for CLN."""
    limited = ["sh", "-c", f'ulimit -n {FILES} && exec "$@"', "sh", str(CLN_EXPORTER)]
    program = Program([*limited, "--demo", "--web.listen-address=127.0.0.1:0"], tmp_path / "exporter.log")
    try:
        address = program.wait_for_log(r"msg=listening address=(\S+)")[1]
        _scrape(address, None)  # once it takes connections
        with _silent(address, 3 * FILES, b""):
            assert max(_scrape(address, None) for _ in range(5)) < ENDED_AFTER * 0.8
            assert _files(program) < FILES
            program.wait_for_log(rf'level=warning msg="too many connections, .*" closed=\d+ limit={FILES // 2} ')
        assert program.stop()[0] == 0
    finally:
        program.stop()
    assert "out of system resource" not in program.log


def test_a_stop_waits_for_no_silent_client(tmp_path: Path) -> None:
    """A shutdown does not wait for idle connections, even without a TLS handshake."""
    authority = write_files(tmp_path)
    (tmp_path / "web.yml").write_text(TLS + "}")
    with running_exporter(tmp_path, "--demo", f"--web.config.file={tmp_path / 'web.yml'}") as exporter:
        _scrape(exporter.address, ssl.create_default_context(cafile=authority.file))
        with _silent(exporter.address, 5, HELLO):
            code, seconds = exporter.stop()
    assert (code, seconds < ENDED_AFTER * 0.8) == (0, True), seconds
    assert "level=error" not in exporter.log
