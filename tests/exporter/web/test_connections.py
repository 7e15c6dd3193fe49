"""Connections over real sockets with a fake clock: their timeouts, and their maximum number."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from cln_monitor.exporter.web import connections as module
from cln_monitor.exporter.web.config import WebConfig
from cln_monitor.exporter.web.config_schema import TlsServerConfig
from cln_monitor.exporter.web.connections import HttpServer, max_connections
from cln_monitor.exporter.web.listening import listen
from cln_monitor.exporter.web.tls import Tls, make_tls

from .web_configs import write_files

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE = 20.0
"""Seconds to wait for what has to come at once."""


async def settle(rounds: int = 10) -> None:
    """Return after all data in transit over loopback have been received."""
    for _ in range(rounds):
        await asyncio.sleep(0.002)


class App:
    """An application that answers ``ok``; ``/held`` waits for ``go_on``, and ``/much`` returns a lot."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.asked = asyncio.Event()
        self.clients: list[str] = []

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        self.asked.set()
        self.clients.append(scope["client"][0])
        if scope["path"] == "/held":
            await self.go_on.wait()
        many = 1 << 12 if scope["path"] == "/much" else 1
        body = b"ok" if many == 1 else b"x" * (1 << 16)
        length = (b"content-length", b"%d" % (many * len(body)))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for left in reversed(range(many)):
            await send({"type": "http.response.body", "body": body, "more_body": left > 0})


class Client:
    """A connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Send ``data``."""
        self.writer.write(data)

    async def answer(self) -> bytes:
        """Return the status line of the next response, after reading all of it."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        await self.reader.readexactly(2)
        return head.partition(b"\r\n")[0]

    async def is_ended(self, within: float = PATIENCE) -> bool:
        """Return whether the server closes the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(1), within) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    async def goes_on(self) -> bool:
        """Return whether the connection is still open after all pending data."""
        return not await self.is_ended(0.05)


class Serving:
    """A server in the current event loop; ``now`` is its time, and ``web`` its web configuration."""

    def __init__(self, address: str) -> None:
        self.app = App()
        self.now = 0.0
        self.web = WebConfig()
        self.clients: list[Client] = []
        config = uvicorn.Config(self.app, http="h11", ws="none", lifespan="off", log_config=None, timeout_keep_alive=75)
        config.load()
        self.server = HttpServer(config, lambda: self.web)
        self.server.lifespan = config.lifespan_class(config)
        (self._socket,) = listen(address)
        self.port: int = self._socket.getsockname()[1]

    async def start(self, most: int) -> None:
        """Start the server."""
        await self.server.startup([self._socket])
        self.server.all._now = lambda: self.now
        self.server.all._limit = most

    async def open(self, data: bytes = b"", client_tls: ssl.SSLContext | None = None) -> Client:
        """Return a new connection that has sent ``data``."""
        count = len(self.server.all)
        named = None if client_tls is None else "localhost"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=client_tls, server_hostname=named)
        writer.write(data)
        self.clients.append(Client(reader, writer))
        if client_tls is None:
            for _ in range(5000):
                if len(self.server.all) > count or count >= self.server.all._limit:
                    break
                await asyncio.sleep(0.002)
        await settle()
        return self.clients[-1]

    def at(self, now: float) -> None:
        """Set the time, and let the server check its connections."""
        self.now = now
        self.server.all.sweep()


LOOPS = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
"""The event loops that the exporter may have."""

on_both_loops = pytest.mark.parametrize("loop", LOOPS)


def run(
    test: Callable[[Serving], Awaitable[None]], most: int = 100, address: str = "127.0.0.1:0", loop: str = "uvloop"
) -> None:
    """Run ``test`` with a server of ``most`` connections on ``address``, in the event ``loop``."""

    @contextlib.asynccontextmanager
    async def serving() -> AsyncIterator[Serving]:
        made = Serving(address)
        await made.start(most)
        try:
            yield made
        finally:
            made.app.go_on.set()
            for client in made.clients:
                client.writer.close()
            await made.server.shutdown([made._socket])
            assert len(made.server.all) == 0

    async def main() -> None:
        async with serving() as made:
            await test(made)

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(main())


@on_both_loops
@pytest.mark.parametrize("start", [b"", ASK[:1], ASK[:-1]], ids=["nothing", "a-byte", "all-but-a-byte"])
def test_who_does_not_ask_is_ended(start: bytes, loop: str) -> None:
    """A connection without a complete request is closed after 10 seconds, even if data trickle in."""

    async def test(serving: Serving) -> None:
        client = await serving.open(start)
        for now in (5.0, 9.9):
            client.send(ASK[:-1][len(start) :][:1] or b"x")
            await settle()
            serving.at(now)
            assert await client.goes_on()
        serving.at(10.1)
        assert await client.is_ended()
        assert len(serving.server.all) == 0

    run(test, loop=loop)


@on_both_loops
def test_a_scraper_keeps_its_connection(loop: str) -> None:
    """A connection stays open during the usual scrape interval, and is closed when idle for longer."""

    async def test(serving: Serving) -> None:
        client = await serving.open()
        for now in (0.0, 60.0, 120.0):
            serving.at(now)
            client.send(ASK)
            assert await client.answer() == b"HTTP/1.1 200 OK"
        serving.at(121.0)
        serving.at(200.0)
        assert await client.goes_on()
        serving.at(202.0)
        assert await client.is_ended()

    run(test, loop=loop)


def test_who_begins_another_request_has_to_end_it() -> None:
    """The head of a second request on a connection has the same timeout as the first."""

    async def test(serving: Serving) -> None:
        client = await serving.open(ASK)
        assert await client.answer() == b"HTTP/1.1 200 OK"
        serving.at(50.0)
        client.send(ASK[:9])
        await settle()
        serving.at(51.0)
        serving.at(60.0)
        assert await client.goes_on()
        serving.at(61.1)
        assert await client.is_ended()

    run(test)


def test_an_answer_may_take_its_time() -> None:
    """A connection is not closed while its request is in progress."""

    async def test(serving: Serving) -> None:
        client = await serving.open(ASK.replace(b"/", b"/held", 1))
        await asyncio.wait_for(serving.app.asked.wait(), PATIENCE)
        serving.at(1000.0)
        serving.at(2000.0)
        serving.app.go_on.set()
        assert await client.answer() == b"HTTP/1.1 200 OK"

    run(test)


@on_both_loops
def test_who_does_not_take_the_answer_is_ended(loop: str) -> None:
    """A client that reads nothing for a minute is disconnected; each progress restarts the timeout."""

    async def test(serving: Serving) -> None:
        client = await serving.open(ASK.replace(b"/", b"/much", 1))
        await asyncio.wait_for(serving.app.asked.wait(), PATIENCE)
        await settle(100)  # until all buffers between us are full
        serving.at(1.0)
        serving.at(60.0)
        await client.reader.readexactly(1 << 26)
        await settle(100)
        serving.at(62.0)
        serving.at(121.0)
        assert len(serving.server.all) == 1
        serving.at(122.1)
        assert len(serving.server.all) == 0

    run(test, loop=loop)


def test_the_rest_of_a_request_is_not_waited_for() -> None:
    """The rest of a request that was answered already must arrive within 5 seconds."""

    async def test(serving: Serving) -> None:
        client = await serving.open(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
        assert await client.answer() == b"HTTP/1.1 200 OK"
        serving.at(1.0)
        client.send(b"x")
        serving.at(5.9)
        assert await client.goes_on()
        serving.at(6.1)
        assert await client.is_ended()

    run(test)


def test_a_short_body_is_passed_over() -> None:
    """A short request body is skipped, and the connection stays open."""

    async def test(serving: Serving) -> None:
        client = await serving.open(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody" + ASK)
        assert [await client.answer() for _ in range(2)] == [b"HTTP/1.1 200 OK"] * 2

    run(test)


@pytest.mark.parametrize(
    "head", [b"GET /" + b"x" * (1 << 16), ASK[:-2] + b"X: " + b"x" * (1 << 16), b"\x16\x03\x01\r\n\r\n"]
)
def test_a_head_that_is_too_large_or_none(head: bytes) -> None:
    """A request head that is too large or invalid is rejected, and the connection is closed."""

    async def test(serving: Serving) -> None:
        client = await serving.open(head)
        with contextlib.suppress(ConnectionError):  # what it has not read, it does not wait for
            assert (await asyncio.wait_for(client.reader.read(), PATIENCE)).startswith(b"HTTP/1.1 400 ")
        assert await client.is_ended()

    run(test)


@on_both_loops
def test_too_many_connections(loop: str) -> None:
    """Above the limit the oldest connection without a request is closed, then the oldest idle one, never a busy one."""

    async def test(serving: Serving) -> None:
        held = await serving.open(ASK.replace(b"/", b"/held", 1))
        idle = await serving.open(ASK)
        assert await idle.answer() == b"HTTP/1.1 200 OK"
        silent = await serving.open()
        newest = await serving.open(ASK)
        assert await silent.is_ended()
        assert await newest.answer() == b"HTTP/1.1 200 OK"
        more = [await serving.open(ASK.replace(b"/", b"/held", 1)) for _ in range(2)]
        assert await idle.is_ended()
        assert await newest.is_ended()
        assert await (await serving.open()).is_ended()
        assert len(serving.server.all) == 3
        with structlog.testing.capture_logs() as logs:
            serving.at(1.0)
            serving.at(2.0)
        ended = {"event": "too many connections, idle ones closed", "closed": 4, "limit": 3}
        assert logs == [ended | {"log_level": "warning"}]
        serving.app.go_on.set()
        assert [await client.answer() for client in (held, *more)] == [b"HTTP/1.1 200 OK"] * 3

    run(test, most=3, loop=loop)


@pytest.mark.parametrize(
    ("files", "most"), [(resource.RLIM_INFINITY, 1000), (1 << 20, 1000), (1024, 512), (256, 128), (4, 8)]
)
def test_how_many_there_may_be(files: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of connections is half of the limit of open files."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert max_connections() == most


class TestEncrypted:
    """Tests of connections with TLS."""

    @staticmethod
    def tls(folder: Path, **settings: Any) -> Tls:
        """Return server TLS with the certificate in a directory."""
        made, _, _ = make_tls(TlsServerConfig(cert_file="server.pem", key_file="server.key", **settings), folder)
        assert made is not None
        return made

    @staticmethod
    def client(folder: Path, certificate: str | None = None) -> ssl.SSLContext:
        """Return client TLS that trusts the CA in a directory, optionally with a certificate."""
        context = ssl.create_default_context(cafile=folder / "ca.pem")
        if certificate is not None:
            context.load_cert_chain(folder / f"{certificate}.pem", folder / f"{certificate}.key")
        return context

    @on_both_loops
    def test_who_shakes_no_hands_is_ended(self, tmp_path: Path, loop: str) -> None:
        """A connection without a TLS handshake is closed after 10 seconds, and counts until then."""
        write_files(tmp_path)

        async def test(serving: Serving) -> None:
            serving.web = WebConfig(tls=self.tls(tmp_path))
            silent = [await serving.open(), await serving.open(b"\x16\x03\x01\x02\x00\x01")]
            assert len(serving.server.all) == 2
            client = await serving.open(ASK, self.client(tmp_path))
            assert await client.answer() == b"HTTP/1.1 200 OK"
            serving.at(9.9)
            assert await silent[0].goes_on()
            serving.at(10.1)
            assert [await connection.is_ended() for connection in silent] == [True, True]
            client.send(ASK)
            assert await client.answer() == b"HTTP/1.1 200 OK"

        run(test, loop=loop)

    def test_too_many_go_before_their_handshake(self, tmp_path: Path) -> None:
        """Above the limit, a connection without a handshake is closed in favor of a new one."""
        write_files(tmp_path)

        async def test(serving: Serving) -> None:
            serving.web = WebConfig(tls=self.tls(tmp_path))
            silent = [await serving.open(), await serving.open()]
            client = await serving.open(ASK, self.client(tmp_path))
            assert await client.answer() == b"HTTP/1.1 200 OK"
            assert await silent[0].is_ended()
            assert await silent[1].goes_on()

        run(test, most=2)

    @on_both_loops
    def test_plain_http_is_refused(self, tmp_path: Path, loop: str) -> None:
        """Plain HTTP to a TLS port gets no unencrypted response."""
        write_files(tmp_path)

        async def test(serving: Serving) -> None:
            serving.web = WebConfig(tls=self.tls(tmp_path))
            assert await (await serving.open(ASK)).is_ended()

        run(test, loop=loop)

    @on_both_loops
    def test_a_new_certificate_is_for_new_connections(self, tmp_path: Path, loop: str) -> None:
        """A new certificate is used for new connections; open ones continue."""
        before, after = tmp_path / "before", tmp_path / "after"
        for folder in (before, after):
            folder.mkdir()
            write_files(folder)

        async def test(serving: Serving) -> None:
            serving.web = WebConfig(tls=self.tls(before))
            former = await serving.open(ASK, self.client(before))
            assert await former.answer() == b"HTTP/1.1 200 OK"
            serving.web = WebConfig(tls=self.tls(after))
            with pytest.raises(ssl.SSLCertVerificationError):
                await serving.open(ASK, self.client(before))
            new = await serving.open(ASK, self.client(after))
            former.send(ASK)
            assert [await connection.answer() for connection in (former, new)] == [b"HTTP/1.1 200 OK"] * 2

        run(test, loop=loop)

    @pytest.mark.parametrize(
        ("allowed", "of", "is_let_in"),
        [
            (["prometheus"], "DNS:prometheus", True),
            (["other", "prometheus"], "DNS:prometheus", True),
            (["other"], "DNS:prometheus", False),
            (["PROMETHEUS"], "DNS:prometheus", False),
            ([], "DNS:prometheus", False),
            (["::1"], "IP:::1", True),
            (["192.0.2.1"], "IP:192.0.2.1", True),
        ],
    )
    def test_whom_a_certificate_has_to_name(self, allowed: list[str], of: str, is_let_in: bool, tmp_path: Path) -> None:
        """A client certificate must contain one of client_allowed_sans exactly."""
        authority = write_files(tmp_path)
        authority.issue("scraper", of=of.replace("IP:::1", "IP:" + "::1"))

        async def test(serving: Serving) -> None:
            kind = "RequireAndVerifyClientCert"
            settings = {"client_auth_type": kind, "client_ca_file": "ca.pem", "client_allowed_sans": allowed}
            serving.web = WebConfig(tls=self.tls(tmp_path, **settings))
            client = await serving.open(ASK, self.client(tmp_path, "scraper"))
            if is_let_in:
                assert await client.answer() == b"HTTP/1.1 200 OK"
            else:
                assert await client.is_ended()

        run(test)

    def test_a_connection_takes_little_memory(self) -> None:
        """An idle connection does not allocate the default TLS buffer of 256 KiB."""
        assert module._Encrypted.max_size <= 1 << 14


def test_the_main_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The main loop checks the connections, and ends immediately on shutdown."""

    async def test(serving: Serving) -> None:
        monkeypatch.setattr(module, "_TICK", 60.0)
        client = await serving.open()
        serving.now = 11.0
        loop = asyncio.create_task(serving.server.main_loop())
        assert await client.is_ended()
        assert not loop.done()
        serving.server.stop()
        await asyncio.wait_for(loop, PATIENCE)

    run(test)


@pytest.mark.parametrize(
    ("seen", "client"),
    [
        (("::ffff:192.0.2.7", 4711), ("192.0.2.7", 4711)),
        (("192.0.2.7", 4711), ("192.0.2.7", 4711)),
        (("2001:db8::7", 4711), ("2001:db8::7", 4711)),
        (("::ffff:1:2:3", 1), ("::ffff:1:2:3", 1)),
        (None, None),
    ],
)
def test_a_client_of_ipv4_is_one_on_a_socket_for_both(
    seen: tuple[str, int] | None, client: tuple[str, int] | None
) -> None:
    """The address of an IPv4 client is the same on an IPv4 and on a dual-stack socket."""
    assert module._plain(seen) == client


def test_the_app_sees_the_address_of_ipv4() -> None:
    """The application gets the IPv4 address of a client of a dual-stack socket."""

    async def test(serving: Serving) -> None:
        client = await serving.open(ASK)
        assert await client.answer() == b"HTTP/1.1 200 OK"
        assert serving.app.clients == ["127.0.0.1"]

    run(test, address=":0")
