"""Server groups (API document, "Server Groups for Imunify/KernelCare API")."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cln_monitor.text_cleaning import clean_text

from . import validation
from .caller import Caller
from .endpoints import (
    GROUP_CREATE,
    GROUP_SERVERS,
    GROUP_SERVERS_PUT,
    GROUP_SERVERS_REMOVE,
    GROUPS,
    Endpoint,
)
from .fields import host_name, identity, text
from .rows import unique


class Group(msgspec.Struct, frozen=True):
    """A server group. ``description`` is empty without one."""

    name: str
    description: str


class GroupServer(msgspec.Struct, frozen=True):
    """A server of a group. ``type``: CLN's name of its product, such as ``IMUNIFY``.

    A field that CLN does not report is empty, except for the id.
    """

    server_id: str
    hostname: str
    ip: str
    type: str


class GroupReads:
    """The read-only calls below ``/group``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def groups(self) -> list[Group]:
        """Return all groups of the account, without duplicates (``/group/list.json``). Raises ClnError.

        A group with a blank name is left out, as it cannot be used in a request.
        """
        return unique(self._caller.get_list(GROUPS, _GroupRow, _named), lambda group: group.name)

    def servers(self, name: str | Group) -> list[GroupServer]:
        """Return the servers of the group ``name``, without duplicates (``/group/servers/list.json``).

        Raises InvalidArgumentError and ClnError.
        """
        query = {"name": name.name if isinstance(name, Group) else validation.group_name(name)}
        return unique(
            self._caller.get_rows(GROUP_SERVERS, _ServerRow, _ServerRow.server, **query),
            lambda server: server.server_id,
        )


class Groups(GroupReads):
    """All calls below ``/group``. A change is sent once: it is made, or the method raises."""

    def create(self, name: str, description: str | None = None) -> Group:
        """Create a group and return it (``/group/create.json``).

        It is not documented what CLN does if the name exists. Raises InvalidArgumentError, NotDoneError and other
        ClnErrors.
        """
        name = validation.group_name(name)
        return self._caller.change(
            GROUP_CREATE,
            _GroupRow,
            lambda row: row.group(name),
            name=name,
            description=validation.optional(validation.description, description),
        )

    def add_servers(self, name: str, server_ids: Iterable[str]) -> list[GroupServer]:
        """Add servers to the group ``name`` and return the added servers (``/group/servers/put.json``).

        CLN may add only some of them. Raises InvalidArgumentError, NotDoneError when none was added, and other
        ClnErrors.
        """
        return self._change_servers(GROUP_SERVERS_PUT, name, server_ids)

    def remove_servers(self, name: str, server_ids: Iterable[str]) -> list[GroupServer]:
        """Remove servers from the group ``name`` and return the removed servers (``/group/servers/remove.json``).

        CLN may remove only some of them. Raises InvalidArgumentError, NotDoneError when none was removed, and other
        ClnErrors.
        """
        return self._change_servers(GROUP_SERVERS_REMOVE, name, server_ids)

    def _change_servers(self, endpoint: Endpoint, name: str, server_ids: Iterable[str]) -> list[GroupServer]:
        name, joined = validation.group_name(name), validation.server_ids(server_ids)
        servers = self._caller.change_rows(
            endpoint, _ServerRow, _ServerRow.changed, empty_is_nothing=True, name=name, server_ids=joined
        )
        return unique(servers, lambda server: server.server_id)


class _GroupRow(msgspec.Struct):
    name: object = None
    description: object = None

    @property
    def is_blank(self) -> bool:
        return isinstance(self.name, str) and not clean_text(self.name)

    def group(self, asked_for: str = "") -> Group:
        return Group(identity(self.name, "name", asked_for), text(self.description))


def _named(rows: list[_GroupRow]) -> list[Group]:
    named = [row for row in rows if not row.is_blank]
    return [row.group() for row in named or rows]  # a list without any name is not a list of groups, and raises


class _ServerRow(msgspec.Struct):
    id: object = None
    host_name: object = msgspec.field(default=None, name="hostName")
    ip: object = None
    type: object = None

    def server(self) -> GroupServer:
        return self._with(identity(self.id, "id"))

    def changed(self) -> GroupServer:
        return self._with(text(self.id))

    def _with(self, server_id: str) -> GroupServer:
        return GroupServer(server_id, host_name(self.host_name), text(self.ip), text(self.type))
