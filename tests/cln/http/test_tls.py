"""TLS of the client: trusted and untrusted certificates, and no key log."""

from __future__ import annotations

import os
import socket
import ssl
import warnings
from pathlib import Path

import pytest

from cln_monitor.cln import ClnError, UnreachableError
from cln_monitor.cln.http import tls
from cln_monitor.cln.http.pool import ConnectionPool
from tests.cln.asking import Clients, enveloped, read
from tests.helpers.certificates import Authority
from tests.helpers.scripted import ScriptedServer, answering, http_answer, read_head

GOOD = http_answer(enveloped([]))


def test_certificate_of_the_ca(clients: Clients, authority: Authority) -> None:
    """A certificate of the CA in ``ca_file`` is trusted, by host name and by IP address."""
    with ScriptedServer(answering(GOOD), tls=authority.server_context("localhost")) as server:
        for host in ("127.0.0.1", "localhost"):
            client = clients.client(server.url.replace("127.0.0.1", host), ca_file=str(authority.file))
            assert client.kernelcare.keys() == []


@pytest.mark.parametrize(
    ("of", "days", "own_ca", "why"),
    [
        ("IP:127.0.0.1", -1, True, "certificate has expired"),
        (
            "DNS:other.example.com",
            30,
            True,
            "IP address mismatch, certificate is not valid for '127.0.0.1'",
        ),
        ("IP:127.0.0.1", 30, False, "unable to get local issuer certificate"),
    ],
    ids=["expired", "of another host", "of an unknown CA"],
)
def test_certificate_that_is_not_trusted(
    *, clients: Clients, authority: Authority, of: str, days: int, own_ca: bool, why: str
) -> None:
    """An untrusted certificate is reported with its reason, not retried, and nothing is sent."""
    heads: list[bytes] = []
    tls = authority.server_context("bad", of=of, days=days)
    with ScriptedServer(lambda connection: heads.append(read_head(connection)), tls=tls) as server:
        client = clients.client(server.url, ca_file=str(authority.file) if own_ca else None)
        with pytest.raises(UnreachableError) as raised:
            client.kernelcare.keys()
    assert str(raised.value) == (
        f"reading /kcare/key/list.json at {client.api}: TLS certificate verification failed: {why}"
    )
    assert not raised.value.transient
    assert server.connections == 1
    assert heads == []


def test_verification_can_be_switched_off(clients: Clients, authority: Authority) -> None:
    """Without verification any server is accepted, and no library warns at each connection."""
    tls = authority.server_context("bad", of="DNS:other.example.com", days=-1)
    with ScriptedServer(answering(GOOD), tls=tls) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clients.client(server.url, insecure_skip_verify=True).kernelcare.keys() == []


def test_ca_file_that_is_none(clients: Clients, tmp_path: Path) -> None:
    """A CA bundle that is missing or has no certificate raises OSError when the transport is made."""
    empty = tmp_path / "empty.pem"
    empty.touch()
    for file in (tmp_path / "missing.pem", empty):
        with pytest.raises(OSError):  # noqa: PT011 # its texts are OpenSSL's
            clients.transport("https://127.0.0.1:9", ca_file=str(file))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("before", ["", "# Zertifikate für\n", "{other}\ufeff"], ids=["alone", "comment", "second"])
def test_ca_file_with_a_mark(
    *, clients: Clients, authority: Authority, one_ca: Path, tmp_path: Path, encoding: str, before: str
) -> None:
    """A byte order mark at the start of or within a bundle loses no certificate."""
    bundle = tmp_path / "ca.pem"
    bundle.write_text(before.format(other=one_ca.read_text()) + authority.file.read_text(), encoding=encoding)
    with ScriptedServer(answering(GOOD), tls=authority.server_context("localhost")) as server:
        assert clients.client(server.url, ca_file=str(bundle)).kernelcare.keys() == []


def test_ca_file_from_a_pipe(clients: Clients, authority: Authority, tmp_path: Path) -> None:
    """All clients share a bundle from a pipe; a pipe without a writer is an error."""
    reading, writing = os.pipe()
    os.write(writing, authority.file.read_bytes())
    os.close(writing)
    with ScriptedServer(answering(GOOD), tls=authority.server_context("localhost")) as server:
        for _ in range(2):
            tls._tls_context.cache_clear()
            assert clients.client(server.url, ca_file=f"/dev/fd/{reading}").kernelcare.keys() == []
    os.close(reading)
    os.mkfifo(tmp_path / "fifo")
    for name, problem in ((str(tmp_path / "fifo"), "is a pipe without a writer"), ("/dev/zero", "is larger than")):
        with pytest.raises(OSError, match=problem):
            clients.transport("https://127.0.0.1:9", ca_file=name)


def test_no_ca_bundle_is_read_where_there_is_no_tls(clients: Clients, tmp_path: Path) -> None:
    """The CA bundle is loaded only if CLN or the proxy uses TLS, as that takes a tenth of a check."""
    missing = str(tmp_path / "missing.pem")
    clients.transport("http://127.0.0.1:9", ca_file=missing)
    with pytest.raises(OSError, match="No such file"):
        clients.transport("http://127.0.0.1:9", ca_file=missing, proxy="https://127.0.0.1:9")


def test_one_tls_context_for_all_connections(
    clients: Clients, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CA bundle is loaded once for a client, not for each connection."""
    with ScriptedServer(
        answering(GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")),
        tls=authority.server_context("localhost"),
    ) as server:
        transport = clients.transport(server.url, ca_file=str(authority.file))

        def load(*_: object, **__: object) -> None:
            pytest.fail("a CA bundle was loaded")

        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
        for _ in range(3):
            read(transport)
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
            "TLS handshake failed: the server does not speak TLS; check api_url",
        ),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "TLS handshake failed: the server does not speak TLS; check api_url"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "TLS error: sslv3 alert handshake failure"),
        (b"", "connection closed during the TLS handshake"),
    ],
    ids=["HTTP", "SSH", "an alert", "nothing"],
)
def test_server_without_tls(clients: Clients, answer: bytes, problem: str) -> None:
    """A server that does not speak TLS is reported as such."""

    def script(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(answer)

    with ScriptedServer(script) as server, pytest.raises(UnreachableError) as raised:
        clients.client(server.url.replace("http:", "https:")).kernelcare.keys()
    assert raised.value.problem == problem


def test_http_to_a_server_with_tls(clients: Clients, authority: Authority) -> None:
    """Plain HTTP to a TLS server is an error that refers to api_url."""
    tls = authority.server_context("localhost")
    with ScriptedServer(answering(GOOD), tls=tls) as server, pytest.raises(ClnError) as raised:
        clients.client(server.url.replace("https:", "http:")).kernelcare.keys()
    assert raised.value.problem in {
        "unexpected response from CLN: not valid HTTP (no HTTP status line); check api_url",
        "connection closed while waiting for the response",
    }


def test_no_keys_of_tls_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SSLKEYLOGFILE is ignored, as its keys would decrypt the tokens."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    tls._tls_context.cache_clear()
    session = ConnectionPool(
        api_url="https://cln.example.net/api", pool_size=1, proxy=None, ca_file=None, insecure_skip_verify=False
    )
    assert session._context is not None
    assert session._context.keylog_filename is None
