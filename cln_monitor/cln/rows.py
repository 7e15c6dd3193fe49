"""Remove duplicate rows of a list: rows with the same id are one object."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

import msgspec

from .fields import LastCheckin, text

T = TypeVar("T")


class Server(Protocol):
    """The common fields of the servers of all products; times are Unix seconds."""

    @property
    def server_id(self) -> str:
        """The id that CLN assigned."""

    @property
    def ip(self) -> str:
        """The IP address that the server registered from."""

    @property
    def last_checkin(self) -> LastCheckin:
        """The time of the last check-in."""


S = TypeVar("S", bound=Server)


def unique(rows: Iterable[T], identity: Callable[[T], Hashable]) -> list[T]:
    """Return the first row of each ``identity``, in order; all rows with an empty identity are kept."""
    by_identity: dict[Hashable, T] = {}
    for number, row in enumerate(rows):
        name = identity(row)
        by_identity.setdefault(number if name == "" else name, row)
    return list(by_identity.values())


def unique_servers(servers: list[S]) -> list[S]:
    """Return each server once, with its latest check-in; without duplicates, the same list."""
    if len({server.server_id for server in servers}) == len(servers):
        return servers
    by_id: dict[str, S] = {}
    for server in servers:
        known = by_id.setdefault(server.server_id, server)
        if known is not server and _age_key(server) > _age_key(known):
            by_id[server.server_id] = server
    return list(by_id.values())


def _age_key(server: Server) -> float:
    last_checkin = server.last_checkin
    return last_checkin if isinstance(last_checkin, float | int) else -math.inf


class RemovedServer(msgspec.Struct, frozen=True):
    """A removed server and its key; a field that is neither in the response nor in the request is empty."""

    server_id: str
    key: str


class RemovedRow(msgspec.Struct):
    """A removed server in a response: the name of its id differs by product."""

    id: object = None
    server_id: object = None
    key: object = None

    def server(self, *, server_id: str = "", key: str = "") -> RemovedServer:
        """Return the server; ``server_id`` and ``key`` are those of the call, used where CLN does not repeat them."""
        return RemovedServer(text(self.server_id) or text(self.id) or server_id, text(self.key) or key)
