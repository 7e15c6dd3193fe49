"""Groups of servers (API document, "Server Groups for Imunify/KernelCare API")."""

from __future__ import annotations

import msgspec

from . import arguments
from .caller import Caller
from .endpoints import GROUP_SERVERS, GROUPS
from .fields import identity, text
from .rows import unique


class Group(msgspec.Struct, frozen=True):
    """A group of servers. ``description`` is empty when it has none."""

    name: str
    description: str


class GroupServer(msgspec.Struct, frozen=True):
    """A server of a group. ``type``: CLN's word for its product, such as ``IMUNIFY``.

    All but the id are empty where CLN does not tell them.
    """

    server_id: str
    hostname: str
    ip: str
    type: str


class GroupReads:
    """The calls below ``/group`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def groups(self) -> list[Group]:
        """Return all groups of the account, a name once (``/group/list.json``). Raises ClnError."""
        return unique(self._caller.read_rows(GROUPS, _GroupRow, _GroupRow.group), lambda group: group.name)

    def servers(self, name: str) -> list[GroupServer]:
        """Return the servers of the group ``name``, each once (``/group/servers/list.json``).

        Raises BadArgument and ClnError.
        """
        query = {"name": arguments.given("name", name)}
        return unique(
            self._caller.read_rows(GROUP_SERVERS, _ServerRow, _ServerRow.server, **query),
            lambda server: server.server_id,
        )


class _GroupRow(msgspec.Struct):
    name: object = None
    description: object = None

    def group(self) -> Group:
        return Group(identity(self.name, "name"), text(self.description))


class _ServerRow(msgspec.Struct):
    id: object = None
    host_name: object = msgspec.field(default=None, name="hostName")
    ip: object = None
    type: object = None

    def server(self) -> GroupServer:
        return GroupServer(identity(self.id, "id"), text(self.host_name), text(self.ip), text(self.type))
