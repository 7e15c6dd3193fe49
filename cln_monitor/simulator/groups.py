"""Groups of servers: `/group/…` (API document: Server Groups for Imunify/KernelCare API)."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from . import answers, arguments
from .answers import Answer
from .calls import Call, Refused, Route
from .imunify import ImunifyServer
from .kernelcare import KernelCareServer
from .keys import Key, Server
from .tokens import authorized

if TYPE_CHECKING:
    from .account import Account
    from .ledger import Ledger

_TYPES: dict[type[Server], str] = {KernelCareServer: "KERNELCARE", ImunifyServer: "IMUNIFY"}


class Group:
    """A group of servers of KernelCare and Imunify keys. A server can be in several groups."""

    def __init__(self, ledger: "Ledger", name: str, description: str | None) -> None:
        self.name = name
        self.description = description
        self._servers: dict[Server, None] = {}
        self._ledger = ledger

    @property
    def servers(self) -> tuple[Server, ...]:
        """Its servers in the order they were added; one that is removed from its key is none of them."""
        return tuple(self._servers)

    def add_server(self, server: Server) -> bool:
        """Put a server of the account into it; False when it is in it already.

        Raises ValueError for a server of another product than KernelCare and Imunify.
        """
        if type(server) not in _TYPES:
            raise ValueError(f"group {self.name}: it takes servers of KernelCare and Imunify, not {server.server_id}")
        with self._ledger.lock:
            if server in self._servers:
                return False
            self._servers[server] = None
            server.groups += (self,)
            return True

    def remove_server(self, server: Server) -> bool:
        """Take a server out of it; False when it is not in it."""
        with self._ledger.lock:
            if server not in self._servers:
                return False
            del self._servers[server]
            server.groups = tuple(group for group in server.groups if group is not self)
            return True


def _create(call: Call) -> Answer:
    """`/group/create.json`: a group without a description has null."""
    account, name = authorized(call), arguments.required(call, "name")
    if name in account.groups:
        raise Refused(f"Group already exists: {name}")
    return answers.envelope(_row(account.add_group(name, call.query.get("description") or None)))


def _list(call: Call) -> Answer:
    """`/group/list.json`."""
    return answers.envelope([_row(group) for group in authorized(call).groups.values()])


def _list_servers(call: Call) -> Answer:
    """`/group/servers/list.json`."""
    return answers.envelope([_server_row(server) for server in _own(call, authorized(call)).servers])


def _put_servers(call: Call) -> Answer:
    """`/group/servers/put.json`: a server that is in the group already is not added, and has no row."""
    account = authorized(call)
    group = _own(call, account)
    return answers.envelope([_server_row(server) for server in _named(call, account) if group.add_server(server)])


def _remove_servers(call: Call) -> Answer:
    """`/group/servers/remove.json`: a server that is not in the group is not removed, and has no row."""
    account = authorized(call)
    group = _own(call, account)
    return answers.envelope([_server_row(server) for server in _named(call, account) if group.remove_server(server)])


def _own(call: Call, account: "Account") -> Group:
    group = account.groups.get(arguments.required(call, "name"))
    if group is None:
        raise Refused("Group not found")
    return group


def _named(call: Call, account: "Account") -> Iterator[Server]:
    """The account's servers of the ids sent; unknown ids have none, an id that two products know has two."""
    server_ids = arguments.listed(call, "server_ids")
    keys: list[Key[Any]] = list(chain(account.kernelcare_keys.values(), account.imunify_keys.values()))
    return (key.servers[server_id] for server_id in server_ids for key in keys if server_id in key.servers)


def _row(group: Group) -> dict[str, str | None]:
    return {"name": group.name, "description": group.description}


def _server_row(server: Server) -> dict[str, str]:
    return {
        "id": server.server_id,
        "hostName": server.hostname,
        "ip": server.ip,
        "type": _TYPES[type(server)],
    }


ROUTES = (
    Route("POST", "/group/create.json", _create),
    Route("GET", "/group/list.json", _list),
    Route("GET", "/group/servers/list.json", _list_servers),
    Route("PUT", "/group/servers/put.json", _put_servers),
    Route("DELETE", "/group/servers/remove.json", _remove_servers),
)
