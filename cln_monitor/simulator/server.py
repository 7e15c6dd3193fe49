"""The simulator as an HTTP server on loopback, in daemon threads."""

import socket
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote

from . import answers, control, fault_injection
from .answers import SimulatedAnswer
from .exchange import SimulatedExchange
from .request_log import Request
from .simulator import EPORTAL, PATCHES, Simulator

API = "/api"
_MOST_BODY = 1 << 20
_CLOSES_IN = 0.9  # seconds


def serve(simulator: Simulator, port: int = 0, host: str = "127.0.0.1") -> "Served":
    """Serve a simulator over HTTP on loopback until the result is closed; port 0 picks a free port.

    Raises ValueError for a host that is not loopback, and OSError if the port is not available.
    """
    return Served(simulator, port, host)


class Served:
    """A running server of a simulator, and a context manager that closes it.

    `url` is the root URL of the API, such as `http://127.0.0.1:41234/api`, `eportal_url` that of the ePortal, and
    `patches_url` that of the patch server.
    """

    def __init__(self, simulator: Simulator, port: int, host: str) -> None:
        if not control.is_loopback(host):
            raise ValueError(f"cannot listen on {host!r}: use a loopback address, such as 127.0.0.1")
        host = "127.0.0.1" if host == "localhost" else host
        try:
            self._server = _Server(simulator, host, port)
        except OSError as error:
            raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._host = host
        self.port: int = self._server.server_address[1]
        root = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self.url = f"{root}{API}"
        self.eportal_url = f"{root}{EPORTAL}"
        self.patches_url = f"{root}{PATCHES}"
        self._accepting = Thread(target=self._accept, name="cln-simulator", daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Stop serving within a second, and close all connections, including those held open by a fault."""
        if self._server.closing.is_set():
            return
        self._server.closing.set()
        until = time.monotonic() + _CLOSES_IN
        with suppress(OSError):  # any connection wakes the accepting thread; if none is possible, it is awake
            socket.create_connection((self._host, self.port), timeout=_CLOSES_IN / 2).close()
        self._accepting.join(max(0, until - time.monotonic()))
        self._server.server_close()
        for thread in self._server.end_connections():
            thread.join(max(0, until - time.monotonic()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._server.closing.is_set():
            self._server.handle_request()


class _Server(ThreadingTCPServer):
    """A threading server. `ThreadingHTTPServer` would look up the name of the address that it binds."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128  # a pool of clients that connects at the same time must not be refused

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.simulator = simulator
        self.closing = Event()
        self._connections: dict[socket.socket, Thread] = {}
        self._lock = Lock()
        super().__init__((host, port), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 -- the base class calls it so
        return not self.closing.is_set()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), name="cln-simulator", daemon=True
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    def end_connections(self) -> list[Thread]:
        """Shut down all connections, and return their threads, which end soon after."""
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)
        return list(connections.values())

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that disconnects is not an error; any other exception is a bug of the simulator and is printed.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        body = self._body()
        path, _, query = self.path.partition("?")
        request = Request(
            method=self.command,
            path=unquote(path.removeprefix(API)) if path.startswith(f"{API}/") else unquote(path),
            query=dict(parse_qsl(query, keep_blank_values=True)),
            target=self.path,
            status=None,
            headers={name.lower(): value for name, value in self.headers.items()},
            client_port=self.client_address[1],
        )
        if body is None:
            self.close_connection = True
            self._exchange(request).send(answers.page(413, "A body needs a Content-Length of at most 1 MiB."))
        elif path.startswith(control.PREFIX):
            self._exchange(request).send(
                control.answer(
                    self.server.simulator,
                    self.command,
                    path,
                    query=request.query,
                    headers=request.headers,
                    body=body,
                )
            )
        else:
            self._call(request, path)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _handle  # noqa: N815 -- http.server looks for these names

    def _call(self, request: Request, path: str) -> None:
        """Answer a call of the API, or inject a fault."""
        simulator = self.server.simulator
        simulator.note(request)
        skew = 0.0
        injected = None
        for fault in simulator.faults.for_request(request.path, request.target):
            if fault.kind == "skew":
                skew += fault.fields["seconds"]
            elif fault.kind != "latency":
                injected = fault
            elif self.server.closing.wait(fault.fields["seconds"]):
                self.close_connection = True
                return

        def real() -> SimulatedAnswer:
            if not path.startswith(f"{API}/"):
                return simulator.answer_elsewhere(request.method, path, request.query, request.headers)
            return simulator.answer(request.method, path.removeprefix(API), request.query, self.client_address[0], skew)

        exchange = self._exchange(request, skew)
        if injected is None:
            exchange.send(real())
        else:
            fault_injection.inject(exchange, injected, real)
            self.close_connection = not exchange.keep_alive

    def _exchange(self, request: Request, skew: float = 0.0) -> SimulatedExchange:
        return SimulatedExchange(
            self.connection,
            request,
            closing=self.server.closing,
            date=self.server.simulator.token_clock() + skew,
            keep_alive=not self.close_connection,
        )

    def _body(self) -> bytes | None:
        """Return the request's body, or None if it is too large or its length is unknown."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or len(length) > 7 or int(length) > _MOST_BODY:
            return None
        return self.rfile.read(int(length))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class calls it so
        """Log nothing: requests are in `Simulator.requests`."""
