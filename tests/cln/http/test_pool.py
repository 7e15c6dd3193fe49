"""The connection pool ignores its environment, keeps no cookies, follows no redirects, and verifies TLS."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import ssl
import threading
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import pytest

from cln_monitor.cln import BadAnswerError, ClnError, TimedOutError, UnreachableError
from cln_monitor.cln.http import answer as answer_module
from cln_monitor.simulator import Fault, Served, Simulator
from tests.cln.asking import PROXY_PASSWORD, SECRETS, Clients, enveloped, read
from tests.helpers.certificates import Authority
from tests.helpers.scripted import Script, ScriptedServer, answering, http_answer, read_head

GOOD = http_answer(enveloped([]))


def test_headers(clients: Clients, simulator: Simulator, served: Served) -> None:
    """Requests name the client and the accepted formats."""
    read(clients.transport(served.url))
    headers = dict(simulator.requests[0].headers)
    assert headers.pop("host") == served.url.split("/")[2]
    assert headers == {
        "user-agent": f"cln-monitor/{version('cln-monitor')}",
        "accept": "application/json, text/plain",
        "accept-encoding": "gzip",
        "connection": "keep-alive",
    }


def test_environment_adds_nothing(
    clients: Clients, simulator: Simulator, served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither ~/.netrc nor the variables for proxies and CA bundles affect a call."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login planted password planted\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        for spelled in (name, name.upper()):
            monkeypatch.setenv(spelled, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
    read(clients.transport(served.url))
    assert "authorization" not in simulator.requests[0].headers


@pytest.mark.parametrize("through_proxy", [False, True])
def test_closed_connections_end_at_once(through_proxy: bool, clients: Clients) -> None:
    """Closing ends connections at once, even while a failed call still references their pool."""
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        read_head(sock)
        sock.sendall(GOOD)
        assert sock.recv(1) == b""
        ended.set()

    with ScriptedServer(serve) as server:
        url = "http://cln.example.net/api" if through_proxy else server.url
        transport = clients.transport(url, proxy=server.url if through_proxy else None)
        read(transport)
        session = transport._sender._pool
        managers = (session.poolmanager, *session.proxy_manager.values())
        pools = [manager.pools.get(key) for manager in managers for key in manager.pools.keys()]  # no dict
        assert len(pools) == 1
        transport.close()
        assert ended.wait(5)


def test_cookies_are_not_kept(clients: Clients) -> None:
    """Cookies are not sent back, as they could mix up two accounts."""
    heads = []

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            connection.sendall(http_answer(b"", "Set-Cookie: session=planted; Path=/", "Set-Cookie: a=b"))

    with ScriptedServer(script) as server:
        transport = clients.transport(server.url)
        for _ in range(2):
            read(transport)
    assert len(heads) == 2
    assert b"cookie" not in heads[1].lower()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(clients: Clients, simulator: Simulator, served: Served, status: int) -> None:
    """A redirect is an error that names its target, which must not get a token."""
    answer = http_answer(b"", f"Location: {served.url}/status.json?next=1", status=f"{status} Elsewhere")
    with ScriptedServer(answering(answer)) as server, pytest.raises(BadAnswerError) as raised:
        clients.client(server.url).kernelcare.keys()
    assert raised.value.problem == (
        f"unexpected redirect to {served.url.split('/')[2]} (HTTP {status}), not followed; check api_url"
    )
    assert simulator.requests == []


@pytest.mark.parametrize(
    "location", ["http://[broken", "//", "http://:99999999/", "\xff\xfe", "http://a b/", "x" * 9000]
)
def test_redirects_to_nowhere(clients: Clients, location: str) -> None:
    """A redirect to an invalid address is reported as a redirect."""
    answer = http_answer(b"", f"Location: {location}", status="302 Found")
    with ScriptedServer(answering(answer)) as server, pytest.raises(BadAnswerError) as raised:
        clients.client(server.url).kernelcare.keys()
    assert raised.value.problem.startswith("unexpected redirect to ")


def test_body_of_a_redirect_is_bounded(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """The body of a redirect is read up to the size limit only."""
    monkeypatch.setattr(answer_module, "LARGEST_BODY", 1 << 20)
    sent = 0

    def endless(connection: socket.socket) -> None:
        nonlocal sent
        read_head(connection)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n")
        while True:
            connection.sendall(b"x" * (1 << 16))
            sent += 1 << 16

    with ScriptedServer(endless) as server, pytest.raises(BadAnswerError, match="larger than 1 MB"):
        read(clients.transport(server.url))
    assert sent < 16 << 20  # what fits into the buffers on the way


def forwarding(heads: list[bytes], answer: bytes = GOOD, *, behind: ssl.SSLContext | None = None) -> Script:
    """Return the script of a proxy that answers requests itself, with the TLS of ``behind``."""

    def script(connection: socket.socket) -> None:
        while head := read_head(connection):
            heads.append(head)
            if not head.startswith(b"CONNECT"):
                connection.sendall(answer)
            elif behind is None:
                connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            else:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with behind.wrap_socket(connection, server_side=True) as inner:
                    heads.append(read_head(inner))
                    inner.sendall(answer)

    return script


PROXY_USER = f"me:{quote(PROXY_PASSWORD, safe='')}@"


def test_proxy_for_http(clients: Clients) -> None:
    """Requests are sent to the configured proxy, with its credentials."""
    heads: list[bytes] = []
    with ScriptedServer(forwarding(heads)) as proxy:
        client = clients.client("http://cln.example.com/api", proxy=proxy.url.replace("//", f"//{PROXY_USER}"))
        assert client.kernelcare.keys() == []
        assert client.kernelcare.keys() == []
    assert heads[0].startswith(b"GET http://cln.example.com/api/kcare/key/list.json?token=")
    credentials = base64.b64encode(f"me:{PROXY_PASSWORD}".encode())
    assert b"Proxy-Authorization: Basic " + credentials in heads[0]
    assert proxy.connections == 1


LOGINS = {
    "user:%C3%A9t%C3%A9": b"user:\xc3\xa9t\xc3\xa9",
    "user:%E2%82%ACuro": b"user:\xe2\x82\xacuro",
    "user:€uro": b"user:\xe2\x82\xacuro",
    "%C3%A9:%ff": b"\xc3\xa9:\xff",
    "user:%E9t%E9": b"user:\xe9t\xe9",
    "user": b"user:",
    ":p%40ss:w%25rd": b":p@ss:w%rd",
    "user:\udce9": b"user:\xe9",
}
"""Logins as a URL spells them, and the bytes that go out."""


@pytest.mark.parametrize(("login", "sent"), LOGINS.items())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_bytes_of_a_login_go_out_as_they_are(clients: Clients, login: str, sent: bytes, scheme: str) -> None:
    """A non-ASCII password is sent to a proxy and to CLN as the bytes of the URL, in UTF-8."""
    heads: list[bytes] = []
    with ScriptedServer(forwarding(heads)) as server:
        proxied = clients.transport(f"{scheme}://cln.example.com/api", proxy=server.url.replace("//", f"//{login}@"))
        with contextlib.suppress(ClnError):
            read(proxied)
        read(clients.transport(server.url.replace("//", f"//{login}@")))
    expected = b"Authorization: Basic " + base64.b64encode(sent) + b"\r\n"
    assert b"Proxy-" + expected in heads[0]
    assert b"\r\n" + expected in heads[-1]


@pytest.mark.parametrize("proxied", [False, True])
def test_login_in_the_address(clients: Clients, *, proxied: bool) -> None:
    """The login in ``api_url`` is sent in a header, and in no URL that a proxy could log."""
    heads: list[bytes] = []
    with ScriptedServer(forwarding(heads)) as server:
        host = "cln.example.com" if proxied else server.url.split("/")[2]
        read(clients.transport(f"http://me:pl%40nted@{host}/api", proxy=server.url if proxied else None))
    assert b"Authorization: Basic " + base64.b64encode(b"me:pl@nted") in heads[0]
    assert b"nted" not in heads[0].splitlines()[0]


@pytest.mark.parametrize("over_tls", [False, True], ids=["proxy over TCP", "proxy over TLS"])
def test_proxy_for_https(clients: Clients, authority: Authority, over_tls: bool) -> None:
    """CLN is verified through a proxy as well; a proxy sees no token, and is verified if it uses TLS."""
    heads: list[bytes] = []
    tls = authority.server_context("proxy")
    if over_tls:
        script = answering_connect(heads, authority)
    else:
        script = forwarding(heads, behind=authority.server_context("cln", of="DNS:cln.example.com"))
    with ScriptedServer(script, tls=tls if over_tls else None) as proxy:
        url = proxy.url.replace("//", f"//{PROXY_USER}")
        client = clients.client("https://cln.example.com/api", proxy=url, ca_file=str(authority.file))
        assert client.kernelcare.keys() == []
    assert heads[0].startswith(b"CONNECT cln.example.com:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic " in heads[0]
    assert heads[1].startswith(b"GET /api/kcare/key/list.json?token=")
    assert b"Proxy-Authorization" not in heads[1]


def answering_connect(heads: list[bytes], authority: Authority) -> Script:
    """Return the script of a proxy over TLS that plays CLN behind the tunnel itself."""
    behind = authority.server_context("cln", of="DNS:cln.example.com")

    def script(connection: socket.socket) -> None:
        heads.append(read_head(connection))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = behind.wrap_bio(incoming, outgoing, server_side=True)
        heads.append(b"")
        for step in (inner.do_handshake, lambda: inner.read(1 << 16), lambda: inner.write(GOOD)):
            while True:
                try:
                    done = step()
                except ssl.SSLWantReadError:
                    connection.sendall(outgoing.read())
                    incoming.write(connection.recv(1 << 16))
                else:
                    heads[1] += done if isinstance(done, bytes) else b""
                    break
        connection.sendall(outgoing.read())
        connection.recv(1)

    return script


def test_proxy_that_is_not_trusted(clients: Clients, authority: Authority) -> None:
    """A proxy over TLS is verified like CLN."""
    heads: list[bytes] = []
    tls = authority.server_context("bad", of="DNS:other.example.com")
    with ScriptedServer(answering_connect(heads, authority), tls=tls) as proxy:
        client = clients.client("https://cln.example.com/api", proxy=proxy.url, ca_file=str(authority.file))
        with pytest.raises(UnreachableError) as raised:
            client.kernelcare.keys()
    assert "IP address mismatch" in raised.value.problem
    assert heads == []


@pytest.mark.parametrize(
    ("api_url", "problem"),
    [
        ("https://cln.example.com/api", "the proxy refused the connection: 407 Proxy Authentication Required"),
        ("http://cln.example.com/api", "unexpected response from CLN: an HTML page (HTTP 407)"),
    ],
)
def test_proxy_that_refuses(clients: Clients, api_url: str, problem: str) -> None:
    """A refusal by the proxy is reported as such, and not retried."""
    heads: list[bytes] = []
    page = http_answer(b"<html>", status="407 Proxy Authentication Required")
    with ScriptedServer(forwarding(heads, page)) as proxy, pytest.raises(ClnError) as raised:
        clients.client(api_url, proxy=proxy.url).kernelcare.keys()
    assert raised.value.problem == problem
    assert len(heads) == 1


@pytest.mark.parametrize("api_url", ["https://cln.example.com/api", "http://cln.example.com/api"])
def test_proxy_that_is_not_there(clients: Clients, api_url: str) -> None:
    """An unreachable proxy is reported as such."""
    with ScriptedServer(answering(b"")) as gone:
        pass
    with pytest.raises(UnreachableError) as raised:
        clients.client(api_url, proxy=gone.url.replace("//", f"//{PROXY_USER}")).kernelcare.keys()
    assert raised.value.problem == "cannot connect to the proxy: Connection refused"
    assert raised.value.transient


@pytest.mark.usefixtures("call_clock")
def test_proxy_that_is_silent(clients: Clients) -> None:
    """A proxy that does not respond times out."""
    silent: Script = lambda connection: read_head(connection) and connection.recv(1)  # noqa: E731 # that short
    with ScriptedServer(silent) as proxy, pytest.raises(TimedOutError) as raised:
        clients.client("https://cln.example.com/api", proxy=proxy.url, timeout=0.1).kernelcare.keys()
    assert raised.value.problem == "timed out after 0.1 s while waiting for the proxy"


def test_password_of_the_proxy_is_hidden(clients: Clients) -> None:
    """A client hides the password of its proxy, as written in the URL and decoded."""
    client = clients.client("https://cln.example.com/api", proxy=f"http://{PROXY_USER}127.0.0.1:9")
    scrubbed = client.scrub(f"{PROXY_USER} {PROXY_PASSWORD}")
    assert scrubbed == "me:<secret>@ <secret>"


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(b"{}", "a header without a colon"),
        http_answer(b"{}", "X: y\r\n folded"),
        http_answer(b"{}", *(f"X-{number}: y" for number in range(200))),
        http_answer(b"{}", "X: " + "y" * 70_000),
    ],
    ids=["malformed", "folded", "many", "long"],
)
def test_odd_headers_put_no_secret_into_the_log(
    clients: Clients, caplog: pytest.LogCaptureFixture, answer: bytes
) -> None:
    """The warnings of the HTTP libraries, which contain URLs, reach no log at any level."""
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(answering(answer)) as server:
        client = clients.client(server.url)
        with contextlib.suppress(ClnError):
            client.kernelcare.keys()
    assert "token" not in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text or quote(secret, safe="") in caplog.text]
    assert "127.0.0.1" not in caplog.text


def test_fault_puts_no_secret_into_the_log(
    clients: Clients, simulator: Simulator, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Failures and retries log no secrets."""
    caplog.set_level(logging.DEBUG)
    simulator.faults.add(Fault("reset"))
    with pytest.raises(UnreachableError):
        clients.client(served.url).kernelcare.keys()
    assert caplog.text == ""
