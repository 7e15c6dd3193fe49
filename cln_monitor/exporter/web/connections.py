"""The client connections: their maximum number and their timeouts."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Any

import h11
import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from .config import WebConfig
from .tls import Tls

_log = structlog.get_logger(__name__)

MAX_CONNECTIONS = 1000
"""Maximum number of parallel connections; half of the limit of open files if that is less."""

# Timeouts in seconds:
_HANDSHAKE = 10  # for the TLS handshake
_HEAD = 10.0  # for the head of a request since its first byte; of the first request since the connection was made
_REST = 5.0  # for the rest of a request whose response was sent already
_IDLE = 80.0  # for the next request to begin; the keep-alive timer of uvicorn is slightly shorter
_WRITE_STALL = 60.0  # for the client to read the next piece of a response
_CLOSE = 5.0  # for the connection to close
_ACCEPT = 64  # connections accepted at a time, so that others can be closed before all files are open
_BACKLOG = 4096  # connections that may wait to be accepted; further clients retry after a second
_MINUTE = 60.0
_TICK = 1.0


def max_connections() -> int:
    """Return the maximum number of connections; the remaining open files are for CLN, logs, and other uses."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(8, min(MAX_CONNECTIONS, files // 2))


class Connections:
    """All open connections, the oldest first.

    Connections that exceed a timeout are closed. If there are more than ``limit``, connections without a request are
    closed first.
    """

    def __init__(self, limit: int, now: Callable[[], float]) -> None:
        self._limit = limit
        self._now = now
        self._all: dict[Connection, asyncio.Transport] = {}
        self._rejected = 0
        self._warned_at = -_MINUTE

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, raw: asyncio.Transport) -> None:
        """Register a new connection; if there are too many, close an older one or reject this one."""
        if len(self._all) >= self._limit:
            self._rejected += 1
            unused = (other for other in self._all if not other.has_asked)
            idle = (other for other in self._all if not other.is_busy)
            older = next(unused, None) or next(idle, None)
            if older is None:
                raw.abort()
                return
            self._abort(older)
        connection.enter(self._now())
        self._all[connection] = raw

    def forget(self, connection: Connection) -> None:
        """Remove a closed connection."""
        self._all.pop(connection, None)

    def sweep(self) -> None:
        """Close the connections that have exceeded a timeout."""
        now = self._now()
        for connection in list(self._all):
            if connection.is_overdue(now):
                self._abort(connection)
        if self._rejected and now - self._warned_at >= _MINUTE:
            _log.warning("too many connections, idle ones closed", closed=self._rejected, limit=self._limit)
            self._rejected, self._warned_at = 0, now

    def close_idle(self) -> None:
        """Close the connections without a request in progress."""
        for connection in list(self._all):
            if not connection.is_busy:
                self._abort(connection)

    def _abort(self, connection: Connection) -> None:
        self._all.pop(connection).abort()


class Connection(H11Protocol):
    """A connection of a client, as HTTP."""

    def __init__(self, server: HttpServer, tls: Tls | None) -> None:
        super().__init__(config=server.config, server_state=server.server_state, app_state={})
        self._all = server.all
        self._tls = tls
        self._stage: tuple[object, ...] = ()
        self._since = 0.0
        self._resumed = 0
        self._is_made = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        self.client = _plain(self.client)
        self._is_made = True
        if self._tls is None:
            self._all.add(self, transport)
        elif not _is_allowed(transport, self._tls.allowed_sans):
            _log.debug("client certificate rejected, no name is in client_allowed_sans", client=str(self.client))
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = data.lstrip(b"\r\n")  # some clients send an empty line before a request (RFC 9112, 2.2)
        if data:  # h11 takes empty data as the end of the connection
            super().data_received(data)

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    @property
    def _last(self) -> RequestResponseCycle | None:
        return self.cycle

    @property
    def has_asked(self) -> bool:
        """Whether the client has sent a request."""
        return self._last is not None

    @property
    def is_busy(self) -> bool:
        """Whether a request is in progress."""
        return self._last is not None and not self._last.response_complete

    def enter(self, now: float) -> None:
        """Start the timeout of the current stage; ``now`` is the monotonic time in seconds."""
        self._stage, self._since = self._stage_now(), now

    def is_overdue(self, now: float) -> bool:
        """Return whether the connection has exceeded the timeout of its stage."""
        stage = self._stage_now()
        if stage != self._stage:
            self._stage, self._since = stage, now
        return now - self._since > _TIMEOUTS[str(stage[0])]

    def _stage_now(self) -> tuple[object, ...]:
        """Return the stage of the connection, and a value that changes with each progress of the client."""
        if not self._is_made:
            return ("handshake",)
        if self.transport.is_closing():
            return ("close",)
        if self.flow.write_paused:
            return ("write", self._resumed)
        if self.is_busy:
            return ("wait",)
        if self._last is not None and self.conn.their_state is h11.SEND_BODY:
            return ("rest", self._last)
        if self._last is None or self.conn.trailing_data[0]:
            return ("head", self._last)
        return ("idle", self._last)


_TIMEOUTS = {
    "handshake": _HANDSHAKE,
    "close": _CLOSE,
    "write": _WRITE_STALL,
    "wait": float("inf"),  # the client waits for the response
    "rest": _REST,
    "head": _HEAD,
    "idle": _IDLE,
}


class _Encrypted(SSLProtocol):
    """The TLS layer of a connection, as asyncio creates it, but with settings per connection."""

    max_size = 1 << 14  # one TLS record; the default buffer of 256 KiB is too much for an idle client

    def __init__(self, server: HttpServer, connection: Connection, tls: Tls) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            connection,
            tls.context,
            None,  # type: ignore[arg-type] # as asyncio's own servers do
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE,
        )
        self._all = server.all
        self._connection = connection

    def connection_made(self, transport: Any) -> None:
        self._all.add(self._connection, transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._all.forget(self._connection)  # which is not notified of a failed handshake
        super().connection_lost(exc)


def _plain(client: tuple[str, int] | None) -> tuple[str, int] | None:
    """Return the address and port of a client, with an IPv4-mapped IPv6 address as IPv4."""
    if client is None or not client[0].startswith("::ffff:"):
        return client
    mapped = IPv6Address(client[0]).ipv4_mapped
    return (str(mapped), client[1]) if mapped else client


def _is_allowed(transport: asyncio.Transport, sans: frozenset[str] | None) -> bool:
    if sans is None:
        return True
    certificate = transport.get_extra_info("peercert") or {}
    names = certificate.get("subjectAltName", ())
    return any((str(ip_address(name.strip())) if kind == "IP Address" else name) in sans for kind, name in names)


class HttpServer(uvicorn.Server):
    """A server with a limited number of connections; a new connection uses the current TLS settings of ``web``."""

    def __init__(self, config: uvicorn.Config, web: Callable[[], WebConfig] = WebConfig) -> None:
        super().__init__(config)
        self._web = web
        self._woken = asyncio.Event()
        self.all: Connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on ``sockets``."""
        loop = asyncio.get_running_loop()
        limit = max_connections()
        self.all = Connections(limit, loop.time)
        await super().startup(sockets=[])
        for sock in sockets or []:
            self.servers.append(await loop.create_server(self._connection, sock=sock, backlog=min(_ACCEPT, limit // 8)))
            with contextlib.suppress(OSError):
                sock.listen(_BACKLOG)  # asyncio uses one number for both purposes

    def _connection(self) -> asyncio.BaseProtocol:
        tls = self._web().tls
        connection = Connection(self, tls)
        return connection if tls is None else _Encrypted(self, connection, tls)

    async def main_loop(self) -> None:
        """Check the timeouts once a second until shutdown; the loop of uvicorn wakes up ten times as often."""
        while not await self.on_tick(0):
            self.all.sweep()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _TICK)

    def stop(self) -> None:
        """Start the shutdown."""
        self.should_exit = True
        self._woken.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down without waiting for idle connections."""
        self.all.close_idle()
        await super().shutdown(sockets)
