"""The calls for CloudLinux OS keys and their servers: `/v2/cl/…` (API document of 2024-10).

Their responses have no envelope. What errors look like is not documented: here they are as those of other REST APIs,
an HTTP status and an object with the status and a message.
"""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import (
    CLOUDLINUX_PRODUCTS,
    NEWER,
    SimulatedCloudLinuxKey,
    SimulatedCloudLinuxServer,
)

from . import arguments, key_calls
from .call import Route, SimulatedCall
from .tokens import authorized


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `GET /v2/cl/keys` with the keys of one product."""
    account, product = authorized(call), _product(call)
    return answers.bare([_key_row(key) for key in account.cloudlinux_keys.values() if key.product_type == product])


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `POST /v2/cl/keys`."""
    account = authorized(call)
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.bare(_key_row(account.add_cloudlinux_key(product_type=_product(call), limit=limit, note=note)))


def _update_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `PATCH /v2/cl/keys`, whose limit is required."""
    key = key_calls.find_key(call, authorized(call).cloudlinux_keys)
    arguments.whole(call, "limit")
    key_calls.update(call, key)
    return answers.bare(_key_row(key))


def _remove_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `DELETE /v2/cl/keys`; it is not documented what happens to the servers, here they are removed."""
    account = authorized(call)
    key = account.remove_cloudlinux_key(key_calls.find_key(call, account.cloudlinux_keys))
    return answers.bare({"key": key.key})


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `GET /v2/cl/servers` with the servers of all keys of one product."""
    account, product = authorized(call), _product(call)
    keys = [key for key in account.cloudlinux_keys.values() if key.product_type == product]
    return answers.bare([_server_row(key, server) for key in keys for server in key.servers.values()])


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `DELETE /v2/cl/servers`."""
    key, server_id = key_calls.find_server(call, authorized(call).cloudlinux_keys)
    return answers.bare(_server_row(key, key.remove_server(server_id)))


def _list_sub_account_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `GET /v2/cl/sub-account/servers`."""
    return answers.bare(
        [
            {
                "sub_account_login": server.login,
                "sub_account_email": server.email,
                "server_id": server.server_id,
                "server_key": server.key,
                "version": server.version,
                "ip": server.ip,
            }
            for server in authorized(call).sub_account_servers
        ]
    )


def _product(call: SimulatedCall) -> str:
    return arguments.choice(arguments.required(call, "productType"), CLOUDLINUX_PRODUCTS, "productType")


def _key_row(key: SimulatedCloudLinuxKey) -> dict[str, object]:
    """Return the row of a key; the product is in small letters, as in the sample."""
    return {
        "key": key.key,
        "product_type": key.product_type.lower(),
        "usage_limit": key.limit,
        "description": key.note or None,
    }


def _server_row(key: SimulatedCloudLinuxKey, server: SimulatedCloudLinuxServer) -> dict[str, object]:
    """Return the row of a server, whose id is a number."""
    return {"id": int(server.server_id), "key": key.key, "ip": server.ip, "hostname": server.hostname}


ROUTES = (
    Route("GET", "/v2/cl/keys", _list_keys, (NEWER,)),
    Route("POST", "/v2/cl/keys", _create_key, (NEWER,)),
    Route("PATCH", "/v2/cl/keys", _update_key, (NEWER,)),
    Route("DELETE", "/v2/cl/keys", _remove_key, (NEWER,)),
    Route("GET", "/v2/cl/servers", _list_servers, (NEWER,)),
    Route("DELETE", "/v2/cl/servers", _remove_server, (NEWER,)),
    Route("GET", "/v2/cl/sub-account/servers", _list_sub_account_servers, (NEWER,)),
)
