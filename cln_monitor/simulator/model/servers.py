"""Servers that are registered with a key, and the groups they are put into."""

from dataclasses import dataclass
from typing import ClassVar

from .checkins import SimulatedCheckIns
from .ledger import Ledger

_GROUPED = ("KERNELCARE", "IMUNIFY")  # the products whose servers a group takes


@dataclass(slots=True, eq=False)
class SimulatedServer:
    """A server registered with a key. `created` is Unix seconds; put another model in `checkins` at will.

    `product` is how CLN spells what runs on it. `groups` are the groups it is in; `SimulatedGroup` keeps them.
    """

    product: ClassVar[str]
    server_id: str
    ip: str
    hostname: str
    created: float
    checkins: SimulatedCheckIns
    groups: "tuple[SimulatedGroup, ...]" = ()

    def last_checkin(self, now: float) -> float | None:
        """Unix seconds of its last check-in up to `now`, None when it never checked in."""
        return self.checkins.last_checkin(now)

    def leave_groups(self) -> None:
        """Take it out of all its groups, as CLN does with a server that is removed."""
        for group in self.groups:
            group.remove_server(self)


class SimulatedGroup:
    """A group of servers of KernelCare and Imunify keys. A server can be in several groups."""

    def __init__(self, ledger: Ledger, name: str, description: str | None) -> None:
        self.name = name
        self.description = description
        self._servers: dict[SimulatedServer, None] = {}
        self._ledger = ledger

    @property
    def servers(self) -> tuple[SimulatedServer, ...]:
        """Its servers in the order they were added; one that is removed from its key is none of them."""
        return tuple(self._servers)

    def add_server(self, server: SimulatedServer) -> bool:
        """Put a server of the account into it; False when it is in it already.

        Raises ValueError for a server of another product than KernelCare and Imunify.
        """
        if server.product not in _GROUPED:
            raise ValueError(f"group {self.name}: it takes servers of KernelCare and Imunify, not {server.server_id}")
        with self._ledger.lock:
            if server in self._servers:
                return False
            self._servers[server] = None
            server.groups += (self,)
            return True

    def remove_server(self, server: SimulatedServer) -> bool:
        """Take a server out of it; False when it is not in it."""
        with self._ledger.lock:
            if server not in self._servers:
                return False
            del self._servers[server]
            server.groups = tuple(group for group in server.groups if group is not self)
            return True
