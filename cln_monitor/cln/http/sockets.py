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
from typing import Protocol

from .resolver import resolve

WAITING = "waiting for the answer"

# A peer that is gone shows itself while an answer is waited for; not all systems have all of the options.
_KEEPALIVE = {"SO_KEEPALIVE": 1, "TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)] + [
    (socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in _KEEPALIVE.items()
    if hasattr(socket, name)
]


class UsedConnection(Protocol):
    """What a failed call asks of the connection that it went over."""

    @property
    def was_reused(self) -> bool:
        """Whether its last request was not its first."""

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response to its last request came."""

    def retire(self) -> None:
        """Let it not be used again."""


class Call(threading.local):
    """What the call of this thread may still take, and how far it has come."""

    ends_at: float = math.inf
    stage: str = WAITING
    request_sent: bool = False
    over_new: bool = False
    connection: UsedConnection | None = None

    def left(self) -> float:
        """Return how many seconds are left. Raises TimeoutError when none are."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return min(left, threading.TIMEOUT_MAX)


this_call = Call()
"""The call of the thread that asks."""


@contextmanager
def call_deadline(seconds: float, *, over_new: bool = False) -> Iterator[Call]:
    """Bound all socket work of this thread to ``seconds`` from now; yields the call.

    Its ``stage`` is how far it is; ``request_sent`` tells whether some of the request may be on its way; ``connection``
    is the one it went over. With ``over_new`` that is none that was used before.
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
    def recv_into(self, *args, **kwargs) -> int:  # type: ignore[no-untyped-def] # as the base class: many forms
        self.settimeout(this_call.left())
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args, **kwargs) -> None:  # type: ignore[no-untyped-def] # as the base class: many forms
        self.settimeout(this_call.left())
        # Before that stage it is a handshake, or the question to a proxy whether it lets us through.
        this_call.request_sent = this_call.request_sent or this_call.stage == WAITING
        super().sendall(*args, **kwargs)


class _TlsSocket(_Socket, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        # A connection that somebody cuts must not look like an answer that ends.
        self.suppress_ragged_eofs = False
        this_call.stage = "shaking hands over TLS"
        self.settimeout(this_call.left())
        super().do_handshake(block)


def connect(host: str, port: int) -> socket.socket:
    """Connect to the first address of ``host`` that answers, all of them within the call's deadline."""
    this_call.stage = "looking up the host name"
    addresses = resolve(host, port, this_call.left())
    this_call.stage = "connecting"
    failure: OSError = socket.gaierror(socket.EAI_NONAME, "it has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        attempt = _Socket(family, kind, protocol)
        try:
            # A fair share for each: an address that swallows packets must not use up the time of the others.
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
    """Make the TLS sockets of ``context`` keep the deadline as well, and tell an end from a cut."""
    context.sslsocket_class = _TlsSocket
    # Set by Python itself up to 3.11.3: OpenSSL would then tell a connection that is cut as one that ends.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
