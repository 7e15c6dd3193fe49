"""Run the web application until a signal stops it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from cln_monitor.cln import Threads
from cln_monitor.exporter.signals import handled_signals

from .config import WebConfig
from .connections import HttpServer

_log = structlog.get_logger(__name__)

_GRACE = 1  # seconds for requests in progress at shutdown


class _Server(HttpServer):
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
        # uvicorn would raise the signal again after it has stopped, so that a regular stop would look like a crash.
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
    """Serve ``app`` on ``sockets`` until SIGTERM or SIGINT; call ``on_reload`` in one of ``threads`` on SIGHUP.

    Each new connection uses the current TLS settings of ``web``. ``on_ready`` is called when the server is ready, and
    ``on_stop`` when the shutdown starts, both in the event loop.
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
    run_in_loop(_serve(server, sockets, on_reload, on_stop, threads or Threads(1)))


async def _serve(
    server: _Server,
    sockets: list[socket.socket],
    on_reload: Callable[[], object],
    on_stop: Callable[[], object],
    threads: Executor,
) -> None:
    def stop() -> None:
        on_stop()
        server.stop()

    with handled_signals(asyncio.get_running_loop(), threads, stop, on_reload):
        await server.serve(sockets=sockets)


def choose_loop() -> tuple[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Return the name of the event loop to use, ``uvloop`` or ``asyncio``, and its factory."""
    try:
        import uvloop  # noqa: PLC0415 # optional, and may fail to load
    except ImportError:
        return "asyncio", asyncio.new_event_loop
    return "uvloop", uvloop.new_event_loop


def run_in_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run ``main`` in a new event loop until it ends, and log which implementation is used."""
    name, factory = choose_loop()
    _log.info("event loop", loop=name)
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)
