"""Read an HTTP response strictly by RFC 9112: it is complete and valid, or an error is raised at once.

``http.client`` takes an interim response for the final one, waits for a timeout where the framing is invalid, and drops
bytes that follow a response. :class:`StrictResponse` replaces it as the ``response_class`` of a connection.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Container
from typing import Any

_LONGEST_LINE = 1 << 16  # bytes, as in http.client
_MOST_LINES = 100  # of a header section or a trailer section
_MOST_INTERIM = 32
_PIECE = 1 << 16
_NO_BODY = frozenset({101, 204, 304})

# Strings, which re compiles on first use.
_STATUS_LINE = rb"HTTP/(1\.[0-9]) ([1-9][0-9]{2})(?: ([^\r\n\0]*))?"
_FIELD = rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\0]*)"
_FOLDED = rb"[ \t]([^\r\n\0]*)"
_LENGTH = r"[0-9]{1,18}"
_CHUNK_SIZE = rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?"


class InvalidResponseError(http.client.HTTPException):
    """The response is not valid HTTP; the text says why and contains nothing of the response."""


class NotHttpError(InvalidResponseError):
    """The response does not begin with ``HTTP/``."""


def is_cut_tls(error: ssl.SSLError) -> bool:
    """Whether ``error`` means that the connection ended without a TLS close notification."""
    # Up to Python 3.11.3 this error is not an SSLEOFError.
    return isinstance(error, ssl.SSLEOFError) or getattr(error, "reason", None) == "UNEXPECTED_EOF_WHILE_READING"


def is_closed_tls(error: ssl.SSLError) -> bool:
    """Whether ``error`` means that the peer closed the connection, with a TLS close notification or without one."""
    return isinstance(error, ssl.SSLZeroReturnError) or is_cut_tls(error)


class _Wire:
    """A buffered reader of a socket, by line or by piece; it replaces the file that ``http.client`` reads from."""

    def __init__(self, sock: socket.socket) -> None:
        self._file = sock.makefile("rb", buffering=0)
        self.buffer = bytearray()
        self.received = False
        self.was_cut = False

    def fill(self) -> bool:
        """Wait for more bytes; return False when the connection ended instead."""
        piece = self._receive(_PIECE)
        self.buffer += piece
        return bool(piece)

    def _receive(self, number: int) -> bytes:
        """Return 1 to ``number`` bytes of the socket, or b"" when the connection ended.

        ``was_cut`` is then True if it ended without a TLS close notification.
        """
        try:
            piece = self._file.read(number) or b""
        except ssl.SSLError as error:
            if not is_cut_tls(error):
                raise
            piece, self.was_cut = b"", True
        self.received = self.received or bool(piece)
        return piece

    def readline(self, limit: int = _LONGEST_LINE) -> bytes:
        """Return the next line with its line end, what came before the connection ended, or ``limit`` bytes."""
        searched = 0
        while (end := self.buffer.find(b"\n", searched)) < 0 and len(self.buffer) < limit:
            searched = len(self.buffer)
            if not self.fill():
                break
        return self.take(min(end + 1 or len(self.buffer), limit))

    def take(self, number: int) -> bytes:
        """Return up to ``number`` bytes from the buffer."""
        taken = bytes(self.buffer[:number])
        del self.buffer[:number]
        return taken

    def read(self, number: int) -> bytes:
        """Return 1 to ``number`` bytes, or b"" when the server closed the connection."""
        return self.take(number) if self.buffer else self._receive(number)

    def flush(self) -> None:
        """Do nothing, as any file that is open for reading."""

    def close(self) -> None:
        """Release the socket."""
        self._file.close()


class StrictResponse(http.client.HTTPResponse):
    """A response whose status line and header are valid; :meth:`read` raises unless the body is complete.

    Interim responses are skipped. The connection is reused only after a response with a status in ``kept_after``, by
    default 200, that was read to its end, without an interim response before it or a byte after it: see
    :attr:`may_follow`.
    """

    kept_after: Container[int] = frozenset({200})
    fp: Any

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        io.BufferedIOBase.__init__(self)
        self.fp = self._wire = _Wire(sock)
        self.debuglevel = debuglevel
        self._method = method
        self.headers = self.msg = None  # type: ignore[assignment] # until begin(), as in http.client
        self.version = self.status = 0
        self.reason = ""
        self.chunked = False
        self.chunk_left = None
        self.length = None
        self.will_close = True
        self._at_end = False

    @property
    def has_begun(self) -> bool:
        """Whether any byte of a response was received."""
        return self._wire.received

    def begin(self) -> None:
        """Read the status line and the header.

        Raises InvalidResponseError, IncompleteRead, RemoteDisconnected, or OSError.
        """
        version, self.status, self.reason = self._read_status()
        self.code = self.status
        self.version = 10 if version == "1.0" else 11
        self.headers = self.msg = _message(self._read_fields("header"))
        connection = ",".join(self.headers.get_all("Connection", ())).lower()
        options = {option.strip() for option in connection.split(",")}
        self._find_length()
        kept = "keep-alive" in options or self.version == 11
        self.will_close = (
            not kept
            or "close" in options
            or self.status not in self.kept_after
            or self._had_interim
            or not (self.chunked or self.length is not None)
        )

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of the first response that is not interim.

        ``http.client`` also calls this, for the response of a proxy to CONNECT.
        """
        self._had_interim = False
        for _ in range(_MOST_INTERIM + 1):
            version, status, reason = self._read_status_line()
            if status >= 200 or status == 101:
                return version, status, reason
            self._had_interim = True
            self._read_fields("header")
        raise InvalidResponseError(f"more than {_MOST_INTERIM} interim responses")

    def _read_status_line(self) -> tuple[str, int, str]:
        wire = self._wire
        while len(wire.buffer) < 5:
            # A response that is not HTTP may have no line end at all.
            if not b"HTTP/".startswith(wire.buffer):
                break
            if not wire.fill():
                if wire.received:
                    raise http.client.IncompleteRead(b"")
                raise http.client.RemoteDisconnected("closed without a response")
        if not wire.buffer.startswith(b"HTTP/"):
            raise NotHttpError("no HTTP status line")
        found = re.fullmatch(_STATUS_LINE, self._read_line("status line"))
        if found is None:
            raise InvalidResponseError("malformed status line")
        version, status, reason = found.groups(b"")
        return version.decode("ascii"), int(status), reason.decode("latin-1").strip()

    def _read_line(self, name: str) -> bytes:
        """Return the next line without its line end."""
        line = self._wire.readline(_LONGEST_LINE)
        if not line.endswith(b"\n"):
            if len(line) >= _LONGEST_LINE:
                raise InvalidResponseError(f"{name} of more than {_LONGEST_LINE} bytes")
            raise http.client.IncompleteRead(b"")
        return line[:-2] if line.endswith(b"\r\n") else line[:-1]

    def _read_fields(self, section: str) -> list[tuple[str, str]]:
        """Return the fields of a header or a trailer section."""
        fields: list[tuple[str, str]] = []
        for _ in range(_MOST_LINES + 1):
            line = self._read_line(section)
            if not line:
                return fields
            if (found := re.fullmatch(_FIELD, line)) is not None:
                fields.append((found[1].decode("ascii"), _value(found[2])))
            elif fields and (folded := re.fullmatch(_FOLDED, line)) is not None:
                # Obsolete line folding counts as a space (RFC 9112, section 5.2).
                name, value = fields[-1]
                fields[-1] = name, f"{value} {_value(folded[1])}"
            else:
                raise InvalidResponseError(f"malformed {section}")
        raise InvalidResponseError(f"more than {_MOST_LINES} {section} lines")

    def _find_length(self) -> None:
        """Set how the body ends: after its last chunk, after its length, or with the connection."""
        codings = self.headers.get_all("Transfer-Encoding", ())
        lengths = self.headers.get_all("Content-Length", ())
        if self.status in _NO_BODY:
            self.length = 0
        elif codings:
            if lengths:
                raise InvalidResponseError("both Transfer-Encoding and Content-Length")
            if self.version == 10 or [coding.lower() for coding in codings] != ["chunked"]:
                raise InvalidResponseError("Transfer-Encoding other than chunked")
            self.chunked = True
        elif len(lengths) > 1 or (lengths and "," in lengths[0]):
            raise InvalidResponseError("more than one Content-Length")
        elif lengths:
            if re.fullmatch(_LENGTH, lengths[0]) is None:
                raise InvalidResponseError("malformed Content-Length")
            self.length = int(lengths[0])

    def read(self, amt: int | None = None) -> bytes:
        """Return 1 to ``amt`` bytes of the body, b"" at its end; without ``amt``, the rest of the body.

        Raises InvalidResponseError, IncompleteRead when the connection ends before the body does, or OSError.
        """
        if amt is None or amt < 0:
            return b"".join(iter(lambda: self.read(_PIECE), b""))
        if self.fp is None or self._at_end:
            return b""
        if self.chunked and not self.chunk_left:
            self._next_chunk()
        left = self.chunk_left if self.chunked else self.length
        piece = self._wire.read(amt if left is None else min(amt, left)) if left != 0 else b""
        if not piece and (left or self._wire.was_cut):
            raise http.client.IncompleteRead(b"", left)
        if self.chunked:
            self.chunk_left = (left or 0) - len(piece)
        elif left is not None:
            self.length = left - len(piece)
        self._at_end = not piece or (not self.chunked and self.length == 0)
        return piece

    def _next_chunk(self) -> None:
        """Read the framing before the next chunk, or the trailer section after the last one."""
        if self.chunk_left is not None and self._read_line("end of a chunk"):
            raise InvalidResponseError("chunk longer than its size")
        found = re.fullmatch(_CHUNK_SIZE, self._read_line("chunk size"))
        if found is None:
            raise InvalidResponseError("malformed chunk size")
        self.chunk_left = int(found[1], 16)
        if not self.chunk_left:
            try:
                self._read_fields("trailer")
            except http.client.IncompleteRead:
                self.will_close = True  # with the last chunk the body is complete (RFC 9112, section 8)

    @property
    def may_follow(self) -> bool:
        """Whether another request may be sent over the same connection."""
        return self._at_end and not self.will_close and not self._wire.buffer


def _value(text: bytes) -> str:
    return text.strip(b" \t").decode("latin-1")


def _message(fields: list[tuple[str, str]]) -> http.client.HTTPMessage:
    message = http.client.HTTPMessage()
    for name, value in fields:
        message[name] = value
    return message
