"""The calls for groups of servers: `/group/…` (API document: Server Groups for Imunify/KernelCare API)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import Account, Key, SimulatedGroup, SimulatedServer

from . import arguments
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _create(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/group/create.json`; a missing description is null."""
    account, name = authorized(call), arguments.required(call, "name")
    if name in account.groups:
        raise CallRefusedError(f"Group already exists: {name}")
    return answers.envelope(_row(account.add_group(name, call.query.get("description") or None)))


def _list(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/group/list.json`."""
    return answers.envelope([_row(group) for group in authorized(call).groups.values()])


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/group/servers/list.json`."""
    return answers.envelope([_server_row(server) for server in _own(call, authorized(call)).servers])


def _put_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/group/servers/put.json`; servers that are in the group already have no row."""
    account = authorized(call)
    group = _own(call, account)
    return answers.envelope([_server_row(server) for server in _named(call, account) if group.add_server(server)])


def _remove_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/group/servers/remove.json`; servers that are not in the group have no row."""
    account = authorized(call)
    group = _own(call, account)
    return answers.envelope([_server_row(server) for server in _named(call, account) if group.remove_server(server)])


def _own(call: SimulatedCall, account: Account) -> SimulatedGroup:
    group = account.groups.get(arguments.required(call, "name"))
    if group is None:
        raise CallRefusedError("Group not found")
    return group


def _named(call: SimulatedCall, account: Account) -> Iterator[SimulatedServer]:
    """Yield the account's servers with the given ids; unknown ids have no server, an id can have one per product."""
    server_ids = arguments.listed(call, "server_ids")
    keys: list[Key[Any]] = list(chain(account.kernelcare_keys.values(), account.imunify_keys.values()))
    return (key.servers[server_id] for server_id in server_ids for key in keys if server_id in key.servers)


def _row(group: SimulatedGroup) -> dict[str, str | None]:
    return {"name": group.name, "description": group.description}


def _server_row(server: SimulatedServer) -> dict[str, str]:
    return {
        "id": server.server_id,
        "hostName": server.hostname,
        "ip": server.ip,
        "type": server.product,
    }


ROUTES = (
    Route("POST", "/group/create.json", _create),
    Route("GET", "/group/list.json", _list),
    Route("GET", "/group/servers/list.json", _list_servers),
    Route("PUT", "/group/servers/put.json", _put_servers),
    Route("DELETE", "/group/servers/remove.json", _remove_servers),
)
