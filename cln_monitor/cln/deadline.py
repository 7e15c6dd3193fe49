"""One deadline for all that a call does: look up the host, connect, handshake, send, and read each byte of the answer.

The time-outs of ``requests`` bound one wait; a server that sends a byte now and then is waited for without end. So
the sockets of our connections ask, before each wait, how much is left of the deadline of the call they serve.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .resolve import resolve

_WAITING = "waiting for the answer"


class Call(threading.local):
    """What the call of this thread may still take, and how far it has come."""

    ends_at: float = math.inf
    stage: str = _WAITING
    request_left: bool = False

    def left(self) -> float:
        """Return how many seconds are left. Raises TimeoutError when none are."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return min(left, threading.TIMEOUT_MAX)


_call = Call()


@contextmanager
def call_deadline(seconds: float) -> Iterator[Call]:
    """Bound all socket work of this thread to ``seconds`` from now; yields the call.

    Its ``stage`` is how far it is; ``request_left`` tells whether some of the request may be on its way.
    """
    _call.ends_at = time.monotonic() + seconds
    _call.stage = _WAITING
    _call.request_left = False
    try:
        yield _call
    finally:
        _call.ends_at = math.inf


class _Socket(socket.socket):
    def recv_into(self, *args, **kwargs) -> int:  # type: ignore[no-untyped-def] # as the base class: many forms
        self.settimeout(_call.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args, **kwargs) -> None:  # type: ignore[no-untyped-def] # as the base class: many forms
        self.settimeout(_call.left())
        # Before that stage it is a handshake, or the question to a proxy whether it lets us through.
        _call.request_left = _call.request_left or _call.stage == _WAITING
        super().sendall(*args, **kwargs)


class _TlsSocket(_Socket, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        _call.stage = "shaking hands over TLS"
        self.settimeout(_call.left())
        super().do_handshake(block)


def _connect(host: str, port: int) -> socket.socket:
    """Connect to the first address of ``host`` that answers, all of them within the call's deadline."""
    _call.stage = "looking up the host name"
    addresses = resolve(host, port, _call.left())
    _call.stage = "connecting"
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "it has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        attempt = _Socket(family, kind, protocol)
        try:
            # A fair share for each: an address that swallows packets must not use up the time of the others.
            attempt.settimeout(_call.left() / (len(addresses) - tried))
            attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            attempt.connect(address)
            attempt.settimeout(_call.left())
        except OSError as error:
            attempt.close()
            failure = error
        else:
            return attempt
    raise failure


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        sock = _connect(self._dns_host, self.port)
        _call.stage = _WAITING
        return sock


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        sock = _connect(self._dns_host, self.port)
        if self.proxy_is_tunneling:
            _call.stage = "asking the proxy"
        return sock

    def connect(self) -> None:
        super().connect()
        self.is_verified = True  # or nobody wants it to be: then urllib3 would warn of it again and again
        _call.stage = _WAITING


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}
"""The connection pools, by URL scheme, whose sockets keep the deadline."""


def keep_deadline(context: ssl.SSLContext) -> None:
    """Make the TLS sockets of ``context`` keep the deadline as well."""
    context.sslsocket_class = _TlsSocket
