"""The connections of clients: how many there are, and how long one may keep us waiting."""

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

MOST = 1000
"""Connections at a time; half of the open files that the process may have where that is less."""

_HANDSHAKE = 10  # seconds for the handshake of TLS,
_HEAD = 10.0  # for the head of a request from its first byte, and of the first request from the connection on,
_REST = 5.0  # for the rest of a request that is answered already,
_IDLE = 80.0  # for the next request to begin; uvicorn's own timer for it is a little shorter,
_TAKE = 60.0  # to take the next piece of an answer,
_CLOSE = 5.0  # and to close
_ACCEPT = 64  # connections taken at a time at most, so that room is made before all files are open
_BACKLOG = 4096  # that may wait to be taken; one that finds no room tries again after a second
_MINUTE = 60.0
_TICK = 1.0


def most_connections() -> int:
    """Return how many connections there may be; the other open files are for CLN, logs and whatever else."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if files == resource.RLIM_INFINITY else max(8, min(MOST, files // 2))


class Connections:
    """All connections, the oldest first. Who keeps us waiting for too long goes, and when there are too many, who asks
    for nothing."""

    def __init__(self, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._now = now
        self._all: dict[Connection, asyncio.Transport] = {}
        self._turned_away = 0
        self._warned_at = -_MINUTE

    def __len__(self) -> int:
        return len(self._all)

    def add(self, connection: Connection, raw: asyncio.Transport) -> None:
        """Count a new connection, for which an older one may have to go."""
        if len(self._all) >= self._most:
            self._turned_away += 1
            silent = (each for each in self._all if not each.has_asked)
            idle = (each for each in self._all if not each.is_busy)
            older = next(silent, None) or next(idle, None)
            if older is None:
                raw.abort()
                return
            self._abort(older)
        connection.enter(self._now())
        self._all[connection] = raw

    def forget(self, connection: Connection) -> None:
        """Count a connection no more."""
        self._all.pop(connection, None)

    def sweep(self) -> None:
        """End those that have kept us waiting for too long."""
        now = self._now()
        for connection in list(self._all):
            if connection.is_overdue(now):
                self._abort(connection)
        if self._turned_away and now - self._warned_at >= _MINUTE:
            _log.warning(
                "too many connections, those that ask for nothing are ended", ended=self._turned_away, most=self._most
            )
            self._turned_away, self._warned_at = 0, now

    def end_silent(self) -> None:
        """End those that are not asking for anything."""
        for connection in list(self._all):
            if not connection.is_busy:
                self._abort(connection)

    def _abort(self, connection: Connection) -> None:
        self._all.pop(connection).abort()


class Connection(H11Protocol):
    """One connection as HTTP sees it."""

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
            _log.debug("client certificate is not one of client_allowed_sans", client=str(self.client))
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]:
            data = data.lstrip(b"\r\n")  # some clients send an empty line before a request (RFC 9112, 2.2)
        if data:  # nothing is the end to h11
            super().data_received(data)

    def resume_writing(self) -> None:
        self._resumed += 1
        super().resume_writing()

    @property
    def _last(self) -> RequestResponseCycle | None:
        return self.cycle

    @property
    def has_asked(self) -> bool:
        """Whether a request ever came."""
        return self._last is not None

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self._last is not None and not self._last.response_complete

    def enter(self, now: float) -> None:
        """Take note of the stage that the connection is in."""
        self._stage, self._since = self._stage_now(), now

    def is_overdue(self, now: float) -> bool:
        """Tell whether the client has kept the connection in one stage for too long."""
        stage = self._stage_now()
        if stage != self._stage:
            self._stage, self._since = stage, now
        return now - self._since > _PATIENCE[str(stage[0])]

    def _stage_now(self) -> tuple[object, ...]:
        """Return what the client has to do next, with what changes whenever it has done it."""
        if not self._is_made:
            return ("handshake",)
        if self.transport.is_closing():
            return ("close",)
        if self.flow.write_paused:
            return ("take", self._resumed)
        if self.is_busy:
            return ("wait",)
        if self._last is not None and self.conn.their_state is h11.SEND_BODY:
            return ("rest", self._last)
        if self._last is None or self.conn.trailing_data[0]:
            return ("head", self._last)
        return ("idle", self._last)


_PATIENCE = {
    "handshake": _HANDSHAKE,
    "close": _CLOSE,
    "take": _TAKE,
    "wait": float("inf"),  # it waits for us
    "rest": _REST,
    "head": _HEAD,
    "idle": _IDLE,
}


class _Encrypted(SSLProtocol):
    """TLS between the socket and a connection, made as asyncio makes it, but for what can be set per connection."""

    max_size = 1 << 14  # a record of TLS; the usual buffer of 256 KiB is a lot for a client that says nothing

    def __init__(self, server: HttpServer, connection: Connection, tls: Tls) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            loop,
            connection,
            tls.context,
            None,  # type: ignore[arg-type] # which is what asyncio's own servers pass
            server_side=True,
            ssl_handshake_timeout=_HANDSHAKE,
        )
        self._all = server.all
        self._connection = connection

    def connection_made(self, transport: Any) -> None:
        self._all.add(self._connection, transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._all.forget(self._connection)  # which learns nothing of a handshake that failed
        super().connection_lost(exc)


def _plain(client: tuple[str, int] | None) -> tuple[str, int] | None:
    """Return the address and port of a client; one of IPv4 on a socket for both looks as on a socket of IPv4."""
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
    """Serves with as many connections as are good for it, each with TLS as ``web`` has it when it begins."""

    def __init__(self, config: uvicorn.Config, web: Callable[[], WebConfig] = WebConfig) -> None:
        super().__init__(config)
        self._web = web
        self._woken = asyncio.Event()
        self.all: Connections

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on ``sockets``."""
        loop = asyncio.get_running_loop()
        most = most_connections()
        self.all = Connections(most, loop.time)
        await super().startup(sockets=[])
        for sock in sockets or []:
            self.servers.append(await loop.create_server(self._connection, sock=sock, backlog=min(_ACCEPT, most // 8)))
            with contextlib.suppress(OSError):
                sock.listen(_BACKLOG)  # asyncio takes one number for both

    def _connection(self) -> asyncio.BaseProtocol:
        tls = self._web().tls
        connection = Connection(self, tls)
        return connection if tls is None else _Encrypted(self, connection, tls)

    async def main_loop(self) -> None:
        """Look at the connections once a second until it is to stop; uvicorn's own loop wakes ten times as often."""
        while not await self.on_tick(0):
            self.all.sweep()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _TICK)

    def stop(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self._woken.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; nobody is waited for who asks for nothing."""
        self.all.end_silent()
        await super().shutdown(sockets)
