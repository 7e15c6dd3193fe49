"""Reusable connections: a connection is reused only if its next response must belong to the next request.

The pool of urllib3 checks ``is_connected`` before each request, and reconnects if it is False.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from cln_monitor.http_response import StrictResponse

from .sockets import WAITING, connect, this_call

_LONGEST_IDLE = 30.0  # seconds; some NATs drop an idle connection after a minute or two


class ReusableConnection(HTTPConnection):
    """A connection that knows whether it can be reused, and whether a failed call was sent over a reused one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._response: StrictResponse | None = None
        self._is_retired = False
        self._used_at = 0.0
        self._requests = 0

    def response_class(  # type: ignore[override] # http.client calls it like a class
        self, *args: Any, **kwargs: Any
    ) -> StrictResponse:
        """Return the response object for a request on this connection."""
        self._response = StrictResponse(*args, **kwargs)
        return self._response

    def connect(self) -> None:
        """Open the connection, and reset its state."""
        self._response, self._is_retired, self._requests = None, False, 0
        super().connect()

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; open the connection first if it is closed."""
        if self.is_closed:
            self.connect()
        this_call.connection = self
        self._response = None
        self._requests += 1
        self._used_at = time.monotonic()
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        """Whether another request may be sent; the pool checks this before each request."""
        return (
            not this_call.over_new
            and not self._is_retired
            and self._response is not None
            and self._response.may_follow
            and time.monotonic() - self._used_at < _LONGEST_IDLE
            and super().is_connected
        )

    @property
    def was_reused(self) -> bool:
        """Whether its last request was not the first one."""
        return self._requests > 1

    @property
    def has_begun(self) -> bool:
        """Whether any byte of the response to its last request was received."""
        return self._response is not None and self._response.has_begun

    def retire(self) -> None:
        """Prevent its reuse, after an unexpected response."""
        self._is_retired = True


class _Connection(ReusableConnection):
    def _new_conn(self) -> socket.socket:
        sock = connect(self._dns_host, self.port)
        this_call.stage = WAITING
        return sock


class _TlsConnection(ReusableConnection, HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        sock = connect(self._dns_host, self.port)
        if self.proxy_is_tunneling:
            this_call.stage = "while waiting for the proxy"
        return sock

    def connect(self) -> None:
        super().connect()
        self.is_verified = True  # or verification is disabled: then urllib3 would warn each time
        this_call.stage = WAITING


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}
"""The connection pools, by URL scheme, whose sockets enforce the deadline of the call."""
