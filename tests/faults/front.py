"""A TLS proxy in front of a simulator that can show any certificate, refuse connections, or forget idle ones."""

from __future__ import annotations

import math
import select
import socket
import ssl
import struct
import time
from types import TracebackType
from typing import Self

from tests.helpers.scripted import ScriptedServer

_PIECE = 1 << 16
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Front:
    """Forwards TLS connections to ``port``, always at the same address. A context manager."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        self._behind = port
        self._server: ScriptedServer | None = None
        self._forgets_after = math.inf
        self.port = 0
        self.listen(tls)

    def forget(self, after: float) -> None:
        """From now on, drop data on connections that were idle for ``after`` seconds, as a NAT does."""
        self._forgets_after = after

    def listen(self, tls: ssl.SSLContext) -> None:
        """Close all connections, and use the certificate of ``tls`` from now on."""
        self.refuse()
        self._forgets_after = math.inf
        self._server = ScriptedServer(self._pass_on, tls=tls, port=self.port).__enter__()
        self.port = self._server.port

    def refuse(self) -> None:
        """Close all connections, and refuse new ones."""
        if self._server is not None:
            self._server.__exit__(None, None, None)
            self._server = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse()

    def _pass_on(self, client: socket.socket) -> None:
        assert isinstance(client, ssl.SSLSocket)
        with socket.create_connection(("127.0.0.1", self._behind)) as behind:
            # One thread a connection: two that read and write on one TLS connection would harm each other.
            passed_on = math.inf
            while True:
                ready = [client] if client.pending() else select.select([client, behind], [], [])[0]
                if client in ready and time.monotonic() - passed_on > self._forgets_after:
                    while client.recv(_PIECE):
                        pass
                    return
                for end, other in ((client, behind), (behind, client)):
                    if end in ready and not _move(end, other, client):
                        return
                    passed_on = time.monotonic()


def _move(end: socket.socket, other: socket.socket, client: socket.socket) -> bool:
    """Forward the data that ``end`` has sent, and return whether more can follow."""
    try:
        piece = end.recv(_PIECE)
    except ConnectionResetError:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        return False
    other.sendall(piece)
    return bool(piece)
