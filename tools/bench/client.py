"""An HTTP client with constant cost: one persistent connection, bodies read into one buffer."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Self

_BUFFER = 1 << 20


class Client:
    """A client of ``address`` with one connection; a context manager."""

    def __init__(self, address: str, *headers: str) -> None:
        host, _, port = address.rpartition(":")
        self._headers = "".join(f"{header}\r\n" for header in (f"Host: {address}", *headers))
        self._socket = socket.create_connection((host, int(port)), timeout=300)
        self._buffer = bytearray(_BUFFER)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def get(self, path: str, *, keep: bool = False) -> tuple[float, int, bytes]:
        """Return the seconds and the length of the response at ``path``, and with ``keep`` its body."""
        started = time.perf_counter()
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._headers}\r\n".encode())
        start = b""
        while b"\r\n\r\n" not in start:
            received = self._socket.recv(1 << 16)
            if not received:
                raise ConnectionError(f"no response at {path}")
            start += received
        head, _, body = start.partition(b"\r\n\r\n")
        if b" 200 " not in head.splitlines()[0]:
            raise ConnectionError(f"unexpected response at {path}: {head!r}")
        fields = dict(line.lower().split(b": ", 1) for line in head.splitlines()[1:])
        length = int(fields[b"content-length"])
        pieces, left = [body], length - len(body)
        while left:
            count = self._socket.recv_into(self._buffer, min(left, _BUFFER))
            if not count:
                raise ConnectionError(f"incomplete response at {path}")
            left -= count
            if keep:
                pieces.append(bytes(self._buffer[:count]))
        return time.perf_counter() - started, length, b"".join(pieces) if keep else b""


def turn(control: int | str) -> None:
    """Let all servers of a CLN check in through its ``control`` port, and wait until it has the new responses."""
    with Client(f"127.0.0.1:{control}") as client:
        client.get("/turn")
