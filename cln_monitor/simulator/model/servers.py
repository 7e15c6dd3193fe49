"""Servers that are registered with a key, and groups of servers."""

from dataclasses import dataclass
from typing import ClassVar

from .checkins import SimulatedCheckIns
from .ledger import SimulationState

_GROUPED = ("KERNELCARE", "IMUNIFY")  # the products whose servers can be in a group


@dataclass(slots=True, eq=False)
class SimulatedServer:
    """A server registered with a key. `created` is Unix seconds; `checkins` can be replaced by another model.

    `product` is CLN's name of its product. `groups` are the groups it is in, maintained by `SimulatedGroup`.
    """

    product: ClassVar[str]
    server_id: str
    ip: str
    hostname: str
    created: float
    checkins: SimulatedCheckIns
    groups: "tuple[SimulatedGroup, ...]" = ()

    def last_checkin(self, now: float) -> float | None:
        """Return the Unix seconds of the last check-in up to `now`, or None if there was no check-in."""
        return self.checkins.last_checkin(now)

    def leave_groups(self) -> None:
        """Remove the server from all its groups, as CLN does when a server is removed."""
        for group in self.groups:
            group.remove_server(self)


class SimulatedGroup:
    """A group of servers of KernelCare and Imunify keys. A server can be in several groups."""

    def __init__(self, state: SimulationState, name: str, description: str | None) -> None:
        self.name = name
        self.description = description
        self._servers: dict[SimulatedServer, None] = {}
        self._state = state

    @property
    def servers(self) -> tuple[SimulatedServer, ...]:
        """The servers in the order in which they were added; a server that is removed from its key is not listed."""
        return tuple(self._servers)

    def add_server(self, server: SimulatedServer) -> bool:
        """Add a server of the account, and return False if it is in the group already.

        Raises ValueError for a server of a product other than KernelCare and Imunify.
        """
        if server.product not in _GROUPED:
            raise ValueError(
                f"group {self.name}: only servers of KernelCare and Imunify can be added, not {server.server_id}"
            )
        with self._state.lock:
            if server in self._servers:
                return False
            self._servers[server] = None
            server.groups += (self,)
            return True

    def remove_server(self, server: SimulatedServer) -> bool:
        """Remove a server, and return False if it is not in the group."""
        with self._state.lock:
            if server not in self._servers:
                return False
            del self._servers[server]
            server.groups = tuple(group for group in server.groups if group is not self)
            return True
