"""A server that runs a script for each connection, byte for byte, to do what no regular server would do."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from .sources import Conversation, Exchanges

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Script = Callable[[socket.socket], object]


class _Connection(socket.socket):
    """A connection that records its data once it has a ``conversation``."""

    conversation: Conversation | None = None

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        data = super().recv(buflen, flags)
        if self.conversation is not None:
            self.conversation.received(data)
        return data

    def sendall(self, data: ReadableBuffer, flags: int = 0) -> None:
        if self.conversation is not None:
            self.conversation.sent(bytes(data))
        super().sendall(data, flags)


class _TlsConnection(_Connection, ssl.SSLSocket):
    """The same for TLS."""


class ScriptedServer:
    """Runs ``script`` for each connection in its own thread, and closes the connection when it returns.

    With ``tls``, the script receives the connection after the handshake. A context manager; ``url`` is its address,
    with a free port if ``port`` is 0.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._script, self._tls = script, tls
        self._listening = socket.create_server(("127.0.0.1", port))
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self.port: int = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = 0
        self._exchanges = Exchanges("scripted server", self.port)

    def __enter__(self) -> Self:
        self._exchanges.watch()
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Waking the thread that accepts: closing the socket alone would leave it waiting.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._closing = True
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listening.close()
        self._exchanges.end()

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection = _Connection(fileno=self._listening.accept()[0].detach())
                self.connections += 1
                self._start(lambda connection=connection: self._serve(connection))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        # A client that gives up is what many tests are about.
        with contextlib.suppress(OSError), contextlib.ExitStack() as closing:
            if self._tls is not None:
                self._tls.sslsocket_class = _TlsConnection
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            closing.enter_context(connection)
            with self._lock:
                if self._closing:
                    return
                self._open.add(connection)
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            assert isinstance(connection, _Connection)
            connection.conversation = Conversation(self._exchanges)
            self._script(connection)


def read_head(connection: socket.socket) -> bytes:
    """Return the next request up to its blank line, or empty bytes at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def http_answer(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Return an HTTP response with ``headers`` and its length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def answering(answer: bytes) -> Script:
    """Return a script that answers each request with the same ``answer``."""

    def script(connection: socket.socket) -> None:
        while read_head(connection):
            connection.sendall(answer)

    return script
