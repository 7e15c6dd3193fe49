"""Rows of a list that repeat: two rows of the same id are one thing."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

import msgspec

from .fields import LastCheckin, text

T = TypeVar("T")


class Server(Protocol):
    """What the servers of all products have in common; times are Unix seconds."""

    @property
    def server_id(self) -> str:
        """The id CLN gave it."""

    @property
    def ip(self) -> str:
        """The address it registered from."""

    @property
    def last_checkin(self) -> LastCheckin:
        """When it last checked in."""


S = TypeVar("S", bound=Server)


def unique(rows: Iterable[T], identity: Callable[[T], Hashable]) -> list[T]:
    """Return the first row of each ``identity``, in their order; rows whose identity is empty all stay."""
    by_identity: dict[Hashable, T] = {}
    for number, row in enumerate(rows):
        name = identity(row)
        by_identity.setdefault(number if name == "" else name, row)
    return list(by_identity.values())


def unique_servers(servers: list[S]) -> list[S]:
    """Return each server once, of its rows the one that checked in last; the same list where each is there once."""
    if len({server.server_id for server in servers}) == len(servers):
        return servers
    by_id: dict[str, S] = {}
    for server in servers:
        known = by_id.setdefault(server.server_id, server)
        if known is not server and _age_key(server) > _age_key(known):
            by_id[server.server_id] = server
    return list(by_id.values())


def _age_key(server: Server) -> float:
    told = server.last_checkin
    return told if isinstance(told, float | int) else -math.inf


class RemovedServer(msgspec.Struct, frozen=True):
    """A server that was removed, and the key it was registered with; what neither CLN nor the call named is empty."""

    server_id: str
    key: str


class RemovedRow(msgspec.Struct):
    """A removed server as CLN tells it: the products differ in the name of its id."""

    id: object = None
    server_id: object = None
    key: object = None

    def server(self, *, server_id: str = "", key: str = "") -> RemovedServer:
        """Return the server; ``server_id`` and ``key``, those of the call, where CLN repeats neither."""
        return RemovedServer(text(self.server_id) or text(self.id) or server_id, text(self.key) or key)
