"""The calls for KernelCare keys and their servers: `/kcare/key/…`, `/kcare/srv/…` (API document: KernelCare API)."""

import re
from ipaddress import ip_address, ip_network

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import canonical, holder

from . import arguments, key_calls
from .call import Route, SimulatedCall
from .tokens import authorized

_PREFIX = re.compile(r"[0-9]{1,3}")
_ADDED, _BAD_ADDRESS, _BAD_PREFIX = 0, 1, 2


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/key/create.json`; the data is the key itself."""
    account = authorized(call)
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(account.add_kernelcare_key(limit=limit, note=note).key)


def _delete_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/key/delete.json`, which removes the key's servers too; false if the account has no such key."""
    account, key = authorized(call), arguments.required(call, "key")
    found = key in account.kernelcare_keys
    if found:
        account.remove_kernelcare_key(key)
    return answers.envelope(found)


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/key/list.json`."""
    return answers.envelope(
        [
            {
                "key": key.key,
                "enabled": key.enabled,
                "created": call.dates.spell(key.created),
                "limit": key.limit,
                "note": key.note,
            }
            for key in authorized(call).kernelcare_keys.values()
        ]
    )


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/key/servers.json`."""
    key = key_calls.find_key(call, authorized(call).kernelcare_keys)
    return answers.envelope(
        [
            {
                "server_id": server.server_id,
                "ip": server.ip,
                "created": call.dates.spell(server.created),
                **call.dates.field("last_checkin", server.last_checkin(call.now)),
            }
            for server in key.servers.values()
        ]
    )


def _set_cidr(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/key/set_cidr.json`; either all networks are added to those of the key, or none.

    The first invalid network determines the code. A network without a prefix is invalid; host bits are cleared.
    Code 3, an internal error, does not occur; use a fault for it.
    """
    key = key_calls.find_key(call, authorized(call).kernelcare_keys)
    cidrs = arguments.listed(call, "cidr", r"\s,;")
    code = next((code for code in map(_code, cidrs) if code != _ADDED), _ADDED)
    if code == _ADDED:
        networks = (str(ip_network(cidr, strict=False)) for cidr in cidrs)
        key.cidrs = list(dict.fromkeys([*key.cidrs, *networks]))
    return answers.envelope({"code": code})


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/srv/remove.json`; an unknown server is not a failure."""
    keys, server_id = authorized(call).kernelcare_keys, arguments.required(call, "server_id")
    key = holder(keys, server_id)
    if key is None:
        return answers.envelope(None, "Server not found")
    key.remove_server(server_id)
    return answers.envelope({"server_id": server_id, "key": key.key})


def _code(cidr: str) -> int:
    """Return the code for a network."""
    ip, _, prefix = cidr.partition("/")
    try:
        longest = ip_address(canonical(ip)).max_prefixlen
    except ValueError:
        return _BAD_ADDRESS
    return _ADDED if _PREFIX.fullmatch(prefix) and int(prefix) <= longest else _BAD_PREFIX


ROUTES = (
    Route("GET", "/kcare/key/create.json", _create_key),
    Route("GET", "/kcare/key/delete.json", _delete_key),
    Route("GET", "/kcare/key/list.json", _list_keys),
    Route("GET", "/kcare/key/servers.json", _list_servers),
    Route("GET", "/kcare/key/set_cidr.json", _set_cidr),
    Route("GET", "/kcare/srv/remove.json", _remove_server),
)
