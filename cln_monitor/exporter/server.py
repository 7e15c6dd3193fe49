"""Listens, serves the web application, and ends on signals: SIGTERM and SIGINT stop, SIGHUP reloads."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Executor

import uvicorn
import uvloop
from starlette.types import ASGIApp

from cln_monitor.cln import Threads

from .connections import Server
from .web_config import WebConfig

_GRACE = 1  # seconds for requests under way when we stop
_BACKLOG = 512


class ListenError(Exception):
    """An address that cannot be listened on."""


def listen(address: str) -> socket.socket:
    """Return a socket that listens on ``address``, such as ``127.0.0.1:10099``, ``[::1]:10099`` or ``:10099``.

    Raises ListenError, which says what would be right.
    """
    host, colon, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not port.isdecimal() or int(port) > 65535:
        expected = "expected HOST:PORT, such as 127.0.0.1:10099, or :10099 for all addresses"
        raise ListenError(f"cannot listen on {address!r}: {expected}")
    try:
        family, _, _, _, where = socket.getaddrinfo(
            host or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol named: asyncio turns Nagle off where it is, and a small answer else waits 40 ms for an ACK.
        sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(where)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        hint = "; is another exporter running?" if error.errno == errno.EADDRINUSE else ""
        raise ListenError(f"cannot listen on {address}: {error.strerror}{hint}") from None
    sock.setblocking(False)
    return sock


def address_of(sock: socket.socket) -> str:
    """Return ``HOST:PORT`` of a listening socket."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _Server(Server):
    def __init__(
        self,
        config: uvicorn.Config,
        web: Callable[[], WebConfig],
        on_ready: Callable[[asyncio.AbstractEventLoop], object],
    ) -> None:
        super().__init__(config, web)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready(asyncio.get_running_loop())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again once it has stopped, and a wanted stop would look like a crash.
        yield


def serve(
    app: ASGIApp,
    sockets: list[socket.socket],
    on_reload: Callable[[], object],
    web: Callable[[], WebConfig] = WebConfig,
    *,
    threads: Executor | None = None,
    on_ready: Callable[[asyncio.AbstractEventLoop], object] = lambda _: None,
    on_stop: Callable[[], object] = lambda: None,
) -> None:
    """Serve ``app`` on ``sockets`` until SIGTERM or SIGINT; ``on_reload`` is called on SIGHUP, by one of ``threads``.

    Each connection has TLS as ``web`` has it when it begins. ``on_ready`` is called once it serves, and ``on_stop``
    when it begins to stop, both in the event loop.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE,
            timeout_keep_alive=75,  # longer than the usual scrape interval, so that Prometheus keeps its connection
        ),
        web,
        on_ready,
    )
    uvloop.run(_serve(server, sockets, on_reload, on_stop, threads or Threads(1)))


async def _serve(
    server: _Server,
    sockets: list[socket.socket],
    on_reload: Callable[[], object],
    on_stop: Callable[[], object],
    threads: Executor,
) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        on_stop()
        server.stop()

    handlers = {
        signal.SIGTERM: stop,
        signal.SIGINT: stop,
        signal.SIGHUP: lambda: loop.run_in_executor(threads, on_reload),
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)  # one that came early is taken now
    await server.serve(sockets=sockets)
