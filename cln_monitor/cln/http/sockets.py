"""Enforce one deadline for a whole call: resolve, connect, TLS handshake, send, and read each byte of the response.

The timeouts of ``requests`` limit single waits, so a server that sends a byte now and then could hold a call forever.
The sockets here set their timeout, before each wait, to the remaining time of the call.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .resolver import resolve

WAITING = "while waiting for the response"

# Keepalives detect a dead peer while waiting for a response; not all systems have all options.
_KEEPALIVE = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)] + [
    (socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in _KEEPALIVE.items()
    if hasattr(socket, name)
]


class UsedConnection(Protocol):
    """The connection that a call was sent over, as error handling uses it."""

    @property
    def was_reused(self) -> bool:
        """Whether its last request was not the first one."""

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response to its last request was received."""

    def retire(self) -> None:
        """Prevent its reuse."""


class Call(threading.local):
    """The deadline and the progress of the current call of this thread."""

    ends_at: float = math.inf
    stage: str = WAITING
    request_sent: bool = False
    over_new: bool = False
    connection: UsedConnection | None = None

    def left(self) -> float:
        """Return the remaining seconds. Raises TimeoutError after the deadline."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline exceeded")
        return min(left, threading.TIMEOUT_MAX)


this_call = Call()
"""The current call of the current thread."""


@contextmanager
def call_deadline(seconds: float, *, over_new: bool = False) -> Iterator[Call]:
    """Limit all socket operations of this thread to ``seconds`` from now, and yield the call.

    Its ``stage`` is the current phase, for errors; ``request_sent`` is whether a part of the request may have been
    sent; ``connection`` is the one used. With ``over_new`` a new connection is used.
    """
    this_call.ends_at = time.monotonic() + seconds
    this_call.stage = WAITING
    this_call.request_sent = False
    this_call.over_new = over_new
    this_call.connection = None
    try:
        yield this_call
    finally:
        this_call.ends_at = math.inf
        this_call.over_new = False


class _Socket(socket.socket):
    def recv_into(self, *args, **kwargs) -> int:  # type: ignore[no-untyped-def] # the base class is overloaded
        self.settimeout(this_call.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args, **kwargs) -> None:  # type: ignore[no-untyped-def] # the base class is overloaded
        self.settimeout(this_call.left())
        # In an earlier stage these are bytes of a TLS handshake, or of a CONNECT request.
        this_call.request_sent = this_call.request_sent or this_call.stage == WAITING
        super().sendall(*args, **kwargs)


class _TlsSocket(_Socket, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        # A connection that is cut must not look like the end of a response.
        self.suppress_ragged_eofs = False
        this_call.stage = "during the TLS handshake"
        self.settimeout(this_call.left())
        super().do_handshake(block)


def connect(host: str, port: int) -> socket.socket:
    """Connect to the first reachable address of ``host``, within the deadline of the call."""
    this_call.stage = "while resolving the host name"
    addresses = resolve(host, port, this_call.left())
    this_call.stage = "while connecting"
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address associated with it")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        attempt = _Socket(family, kind, protocol)
        try:
            # An equal share for each: an address that drops packets must not use up the time of the others.
            attempt.settimeout(this_call.left() / (len(addresses) - tried))
            for level, option, value in _OPTIONS:
                attempt.setsockopt(level, option, value)
            attempt.connect(address)
            attempt.settimeout(this_call.left())
        except OSError as error:
            attempt.close()
            failure = error
        else:
            return attempt
    raise failure


def keep_deadline(context: ssl.SSLContext) -> None:
    """Make the TLS sockets of ``context`` enforce the deadline, and detect connections that are cut."""
    context.sslsocket_class = _TlsSocket
    # Set by Python up to 3.11.3: OpenSSL would then report a connection that is cut as closed properly.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
