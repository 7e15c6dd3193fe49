"""The connection to the exporter: TLS with a client certificate, a password from a file, and servers that hang."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from cln_monitor.checks.plugin_exit import CheckError, NoResponseError
from cln_monitor.feed.config import load_config
from cln_monitor.feed.exporter_reader import ExporterReader
from tests.helpers.certificates import Authority
from tests.helpers.running import free_port

Write = Callable[..., Path]
PATH = "/api/v1/observations"
BODY = json.dumps({"format": 1, "probes": []}).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers with an empty list of probes, and keeps the headers of requests."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        """Answer."""
        self.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Serve on a free port, with TLS if there is a ``context``; provide the port and the headers of requests."""
    seen: list[dict[str, str]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Seen", (Handler,), {"seen": seen}))
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # refused handshakes
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(file: Path) -> dict[str, object]:
    """Return the list of probes of the exporter in a configuration."""
    return ExporterReader(load_config(file)).ask(PATH, (), "probes")


def test_a_client_certificate(write: Write, tmp_path: Path) -> None:
    """An exporter that requires a certificate gets that of the configuration; without it the reason is reported."""
    authority = Authority(tmp_path)
    context = authority.server_context("server")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    certificate, key = authority.issue("feed")
    key.chmod(0o600)
    with serving(context) as (port, seen):
        tls = {"url": f"https://127.0.0.1:{port}", "ca_file": str(authority.file)}
        with pytest.raises(NoResponseError, match=r"request to the exporter at https://127.0.0.1:"):
            ask(write(exporter=tls))
        answer = ask(write(exporter={**tls, "cert_file": str(certificate), "key_file": str(key)}))
    assert answer["probes"] == []
    assert len(seen) == 1


def test_an_unknown_authority(write: Write, tmp_path: Path) -> None:
    """A certificate that ca_file does not cover is reported as the plugins do."""
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with serving(Authority(tmp_path).server_context("server")) as (port, _):
        exporter = {"url": f"https://127.0.0.1:{port}", "ca_file": str(other.file)}
        with pytest.raises(NoResponseError, match="TLS certificate verification failed: "):
            ask(write(exporter=exporter))


def test_a_password_in_a_file(write: Write, tmp_path: Path) -> None:
    """User and password are sent as in RFC 7617; a changed file counts at once."""
    password = tmp_path / "pw"
    password.write_text("pläne:1\n", encoding="utf-8")
    password.chmod(0o600)
    with serving() as (port, seen):
        exporter = {"url": f"http://127.0.0.1:{port}", "username": "feed", "password_file": "pw"}
        reader = ExporterReader(load_config(write(exporter=exporter)))
        reader.ask(PATH, (), "probes")
        password.write_text("another", encoding="utf-8")
        reader.start_round()
        reader.ask(PATH, (), "probes")
    sent = [base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode() for headers in seen]
    assert sent == ["feed:pläne:1", "feed:another"]
    assert "another" in reader.secrets


def test_a_password_file_that_became_useless(write: Write, tmp_path: Path) -> None:
    """A password file that can no longer be read is an error of the checks, not of the program."""
    password = tmp_path / "pw"
    password.write_text("good", encoding="utf-8")
    password.chmod(0o600)
    exporter = {"url": f"http://127.0.0.1:{free_port()}", "username": "feed", "password_file": "pw"}
    config = load_config(write(exporter=exporter))
    password.write_text("two\nlines", encoding="utf-8")
    reader = ExporterReader(config)
    with pytest.raises(CheckError, match=r"exporter\.password_file: has several lines"):
        reader.ask(PATH, (), "probes")
    assert reader.secrets == []
    assert reader.requests == 0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
def test_an_exporter_that_hangs(write: Write, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """A response that does not end in time is a timeout, even if a byte comes now and then; others are not tried."""
    monkeypatch.setattr("cln_monitor.feed.exporter_reader._LONGEST", 0.3)
    listening = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(answer)
            while answer and not ended.wait(0.02):
                connection.sendall(b" ")
            ended.wait(30)

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        reader = ExporterReader(load_config(write(exporter=f"http://127.0.0.1:{listening.getsockname()[1]}")))
        for path in (PATH, f"{PATH}/demo/kernelcare"):
            with pytest.raises(NoResponseError, match=r"did not respond within 0.3 s \(-t/--timeout\)"):
                reader.ask(path, (), "probes")
        assert reader.requests == 1
    finally:
        ended.set()
        thread.join()
        listening.close()
