"""Requests to a receiver over one persistent connection, within a deadline."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cln_monitor.cln.http.sockets import WAITING, call_deadline, connect, this_call
from cln_monitor.http_body import BodyError, UnfinishedBodyError, unpack
from cln_monitor.http_response import InvalidResponseError, StrictResponse, is_closed_tls
from cln_monitor.urls import host_of

_LARGEST = 64 << 20  # bytes of a response; a list of 100 000 services has 20 MB
_PIECE = 1 << 16
_LONGEST_IDLE = 8.0  # seconds; Icinga 2 closes a connection after 10

MakeContext = Callable[[], ssl.SSLContext]


class Request(NamedTuple):
    """A request to ``path`` below the URL of a server; each line of ``headers`` ends with CR LF."""

    method: str
    path: str
    headers: str
    body: bytes = b""


class RequestError(Exception):
    """A request got no complete response; the text is the reason, without the name of the server."""


class _Response(StrictResponse):
    """A response after which the connection is kept for each status: a receiver refuses single results."""

    kept_after = frozenset(range(200, 600))


class Connection:
    """Sends requests to the server of ``url``, over a connection that is kept while it works.

    ``make_context`` returns the TLS context for a new connection; it may raise OSError or ValueError. ``server_name``
    is the name that the certificate must have, by default the host of ``url``. Not thread-safe.
    """

    def __init__(self, url: str, make_context: MakeContext, server_name: str | None = None) -> None:
        parts = urlsplit(url)
        self.name = host_of(url)
        self.path = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._make_context = make_context if parts.scheme == "https" else None
        self._server_name = server_name or self._host
        self._socket: socket.socket | None = None
        self._used_at = 0.0
        self.opened = 0
        """How many times a connection was opened."""

    def exchange(self, request: Request, seconds: float) -> tuple[int, bytes]:
        """Send ``request`` and return the status and the body of its response. Raises RequestError.

        If the server has closed an idle connection, the request is sent again over a new one.
        """
        with call_deadline(seconds) as call:
            try:
                reused = self._reusable()
                if reused is not None:
                    try:
                        return self._exchange(reused, request)
                    except _NotBegunError:
                        pass
                return self._exchange(self._open(), request)
            except _FAILURES as error:
                self.close()
                raise RequestError(_reason(error, call.stage, seconds)) from None
            except BaseException:
                self.close()
                raise

    def _reusable(self) -> socket.socket | None:
        """Return the open connection if it can carry another request, else None."""
        if self._socket is not None:
            # Nothing may be waiting to be read: it would be the end of the connection, or no part of a response.
            waiting = select.poll()
            waiting.register(self._socket, select.POLLIN)
            if waiting.poll(0) or time.monotonic() - self._used_at > _LONGEST_IDLE:
                self.close()
        return self._socket

    def _open(self) -> socket.socket:
        self.close()
        context = self._make_context() if self._make_context is not None else None
        self.opened += 1
        plain = connect(self._host, self._port)
        try:
            self._socket = context.wrap_socket(plain, server_hostname=self._server_name) if context else plain
        except BaseException:
            plain.close()
            raise
        this_call.stage = WAITING
        return self._socket

    def _exchange(self, sock: socket.socket, request: Request) -> tuple[int, bytes]:
        is_reused = self._used_at > 0.0
        head = (
            f"{request.method} {self.path}{request.path} HTTP/1.1\r\nHost: {self.name}\r\nUser-Agent: cln-feed\r\n"
            f"{request.headers}Content-Length: {len(request.body)}\r\n\r\n"
        )
        response = None
        try:
            sock.sendall(head.encode("latin-1") + request.body)
            response = _Response(sock, method=request.method)
            response.begin()
        except (ConnectionError, ssl.SSLError, http.client.RemoteDisconnected):
            if is_reused and (response is None or not response.has_begun):
                self.close()
                raise _NotBegunError from None
            raise
        body = _body_of(response)
        self._used_at = time.monotonic()
        if not response.may_follow:
            self.close()
        return response.status, body

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._used_at = None, 0.0


def _body_of(response: StrictResponse) -> bytes:
    body = bytearray()
    packed = iter(lambda: response.read(_PIECE), b"")
    for piece in unpack(packed, response.getheader("Content-Encoding", "")):
        body += piece
        if len(body) > _LARGEST:
            raise BodyError(f"response of more than {_LARGEST >> 20} MiB")
    return bytes(body)


class _NotBegunError(Exception):
    """A kept connection was closed by the server before the response."""


_FAILURES = (OSError, ValueError, http.client.HTTPException)


def _reason(error: Exception, stage: str, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"timed out after {seconds:.3g} s {stage}"
    for kinds, text in _REASONS:
        if isinstance(error, kinds):
            return text(error)
    if isinstance(error, ConnectionError) or (isinstance(error, ssl.SSLError) and is_closed_tls(error)):
        return f"connection closed {stage}"
    if isinstance(error, ssl.SSLError):
        return f"TLS error: {(error.reason or 'no reason given').lower().replace('_', ' ')}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


# The first match counts, so specific types come before general ones.
_REASONS: tuple[tuple[type[Exception], Callable[[Any], str]], ...] = (
    (ssl.SSLCertVerificationError, lambda error: f"TLS certificate verification failed: {error.verify_message}"),
    (socket.gaierror, lambda error: f"cannot resolve the host name: {error.strerror}"),
    (http.client.IncompleteRead, lambda _: "incomplete response"),
    (UnfinishedBodyError, lambda error: f"incomplete response: {error}"),
    (InvalidResponseError, lambda error: f"invalid HTTP response: {error}"),
    (ConnectionRefusedError, lambda _: "connection refused"),
)
