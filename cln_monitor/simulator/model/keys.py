"""What the keys of all products have in common: a limit, a note, servers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, Self, TypeVar

from .checkins import HEALTHY, SimulatedCheckIns, model_of
from .ledger import Ledger
from .servers import SimulatedServer

ServerT = TypeVar("ServerT", bound=SimulatedServer)


class Key(ABC, Generic[ServerT]):
    """A licence key. `limit` is the most servers (0: no limit); `servers` goes by server id."""

    def __init__(self, ledger: Ledger, key: str, *, limit: int, note: str) -> None:
        if limit < 0:
            raise ValueError(f"key {key}: limit must be a number of servers, or 0 for no limit, not {limit}")
        self.key = key
        self.limit = limit
        self.note = note
        self.servers: dict[str, ServerT] = {}
        self._ledger = ledger

    @property
    def is_full(self) -> bool:
        """Whether it has as many servers as its limit allows, or more."""
        return 0 < self.limit <= len(self.servers)

    def add_server(
        self,
        server_id: str | None = None,
        *,
        ip: str | None = None,
        hostname: str | None = None,
        created: float | None = None,
        last_checkin: float | SimulatedCheckIns | None = HEALTHY,
    ) -> ServerT:
        """Register a server, over the limit too if you say so.

        `created` is Unix seconds (default: now). `last_checkin` is Unix seconds (fixed), None (never), or a
        model; left out, the agent checks in from `created` on, about every 4 hours. What else is left out
        is made up.

        Raises ValueError when the key has a server of that id.
        """
        with self._ledger.lock:
            server_id = self._mint_id() if server_id is None else server_id
            if server_id in self.servers:
                raise ValueError(f"key {self.key}: the server {server_id} is registered already")
            next_ip, next_hostname = self._ledger.next_host()
            created = self._ledger.now() if created is None else created
            server = self._make(
                server_id,
                next_ip if ip is None else ip,
                next_hostname if hostname is None else hostname,
                created,
                model_of(last_checkin, created, self._ledger.random),
            )
            self.servers[server_id] = server
            return server

    def remove_server(self, server_id: str) -> ServerT:
        """Take a server off the key, and out of its groups, and return it.

        Raises ValueError when the key has none of that id.
        """
        with self._ledger.lock:
            server = self._pop(server_id)
            server.leave_groups()
            return server

    def move_server(self, server_id: str, to: Self) -> ServerT:
        """Move a server to another key, over its limit too, and return it; its groups stay.

        Raises ValueError when this key has none of that id, or the other one has.
        """
        with self._ledger.lock:
            if server_id in to.servers:
                raise ValueError(f"key {to.key}: the server {server_id} is registered already")
            server = to.servers[server_id] = self._pop(server_id)
            return server

    def _pop(self, server_id: str) -> ServerT:
        try:
            return self.servers.pop(server_id)
        except KeyError:
            raise ValueError(f"key {self.key}: no server {server_id} is registered with it") from None

    @abstractmethod
    def _mint_id(self) -> str: ...

    @abstractmethod
    def _make(self, server_id: str, ip: str, hostname: str, created: float, checkins: SimulatedCheckIns) -> ServerT: ...


KeyT = TypeVar("KeyT", bound=Key[Any])


def holder(keys: Mapping[str, KeyT], server_id: str) -> KeyT | None:
    """The first of `keys` that has a server of that id."""
    return next((key for key in keys.values() if server_id in key.servers), None)
