"""The sending of one response: headers, compression, framing, and ways to break them."""

import gzip
import os
import socket
import struct
from dataclasses import replace
from email.utils import formatdate
from threading import Event

from .answers import SimulatedAnswer, phrase
from .request_log import Request


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether an `Accept-Encoding` header accepts gzip."""
    for coding in accept_encoding.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() in {"gzip", "*"}:
            return weight.replace(" ", "").rstrip("0") not in {"q=", "q=0."}
    return False


class SimulatedExchange:
    """The server's side of one request.

    A method that sends a status line sets `request.status` before the first byte. If `keep_alive` is False, the
    connection is closed after the exchange.
    """

    def __init__(
        self,
        connection: socket.socket,
        request: Request,
        *,
        closing: Event,
        date: float,
        keep_alive: bool,
    ) -> None:
        self.connection = connection
        self.request = request
        self.keep_alive = keep_alive
        self._closing = closing
        self._date = date
        self._wants_body = request.method != "HEAD"

    def send(self, answer: SimulatedAnswer) -> None:
        """Send a correct response."""
        answer = self.encoded(answer)
        self.request.status = answer.status
        # In one write: two would be delayed by Nagle's algorithm and delayed acknowledgements.
        self.connection.sendall(self.head(answer) + (answer.body if self._wants_body else b""))

    def encoded(self, answer: SimulatedAnswer) -> SimulatedAnswer:
        """Return the response with a compressed body if the client accepts gzip."""
        if not (answer.body and accepts_gzip(self.request.headers.get("accept-encoding", ""))):
            return answer
        return replace(
            answer,
            body=gzip.compress(answer.body, compresslevel=1, mtime=0),
            headers={**answer.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        )

    def head(self, answer: SimulatedAnswer, *, endless: bool = False) -> bytes:
        """Return the status line and headers; if `endless`, without a length, so that the body ends at the close."""
        lines = [
            f"HTTP/1.1 {answer.status} {phrase(answer.status)}",
            "Server: cln-simulator",
            f"Date: {formatdate(self._date, usegmt=True)}",
            f"Content-Type: {answer.content_type}",
        ]
        if not endless:
            lines.append(f"Content-Length: {len(answer.body)}")
        if not self.keep_alive:
            lines.append("Connection: close")
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")

    def wait(self, seconds: float) -> bool:
        """Wait, and return False if the server was closed during the wait, which ends the exchange."""
        if self._closing.wait(seconds):
            self.keep_alive = False
            return False
        return True

    def write(self, data: bytes) -> bool:
        """Send raw bytes, and return False if the server is closing."""
        self.connection.sendall(data)
        return not self._closing.is_set()

    def wait_for_end(self) -> None:
        """Read and discard data until the client closes the connection or the server is closed."""
        while self.connection.recv(4096):
            pass

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Not close(), which waits for the file objects on the socket and shuts down gracefully.
        os.close(self.connection.detach())
