"""What KernelCare and Imunify keys have in common: a limit, a note, servers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from random import Random
from typing import Final, Generic, TypeVar

from .checkins import CheckIns, Fixed, Never, Steady
from .ledger import Ledger

HEALTHY: Final = Never()  # a mark, compared by identity: an agent that checks in from now on


@dataclass(slots=True, eq=False)
class Server:
    """A server registered with a key. `created` is Unix seconds; put another model in `checkins` at will."""

    server_id: str
    ip: str
    hostname: str
    created: float
    checkins: CheckIns

    def last_checkin(self, now: float) -> float | None:
        """Unix seconds of its last check-in up to `now`, None when it never checked in."""
        return self.checkins.last_checkin(now)


def model(last_checkin: float | CheckIns | None, created: float, random: Random) -> CheckIns:
    """The model that a `last_checkin` stands for, as in `Key.add_server`."""
    if last_checkin is HEALTHY:
        return Steady(random.getrandbits(32), created)
    if last_checkin is None:
        return Never()
    if isinstance(last_checkin, CheckIns):
        return last_checkin
    return Fixed(last_checkin)


ServerT = TypeVar("ServerT", bound=Server)


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

    def add_server(
        self,
        server_id: str | None = None,
        *,
        ip: str | None = None,
        hostname: str | None = None,
        created: float | None = None,
        last_checkin: float | CheckIns | None = HEALTHY,
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
                model(last_checkin, created, self._ledger.random),
            )
            self.servers[server_id] = server
            return server

    def remove_server(self, server_id: str) -> ServerT:
        """Take a server off the key and return it. Raises ValueError when the key has none of that id."""
        with self._ledger.lock:
            try:
                return self.servers.pop(server_id)
            except KeyError:
                raise ValueError(f"key {self.key}: no server {server_id} is registered with it") from None

    @abstractmethod
    def _mint_id(self) -> str: ...

    @abstractmethod
    def _make(self, server_id: str, ip: str, hostname: str, created: float, checkins: CheckIns) -> ServerT: ...
