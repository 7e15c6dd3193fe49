"""The calls for ELS keys and their servers: `/els/…` (API document: ELS Products API)."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import ELS_CODES, SimulatedElsKey, SimulatedElsServer, is_els_code

from . import arguments, key_calls
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/create.json`."""
    account = authorized(call)
    code = arguments.choice(arguments.required(call, "code"), ELS_CODES, "code")
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(_key_row(account.add_els_key(code=code, limit=limit, note=note)))


def _update_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/update.json`: omitted arguments change nothing, as the API document has it for Imunify."""
    key = key_calls.find_key(call, authorized(call).els_keys)
    key_calls.update(call, key)
    return answers.envelope(_key_row(key))


def _remove_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/remove.json` with rows of servers; the sample of the API document shows only their key."""
    account = authorized(call)
    key = account.remove_els_key(key_calls.find_key(call, account.els_keys))
    return answers.envelope([_server_row(key, server) for server in key.servers.values()])


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/list.json` with the keys of one product."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope([_key_row(key) for key in keys.values() if key.code == code])


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/srv/list.json` with the servers of one product; the API document has no argument for a key."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope(
        [_server_row(key, server) for key in keys.values() if key.code == code for server in key.servers.values()]
    )


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/srv/remove.json`."""
    key, server_id = key_calls.find_server(call, authorized(call).els_keys)
    return answers.envelope(_server_row(key, key.remove_server(server_id)))


def _product(call: SimulatedCall) -> str:
    """Return the product of a list; the API document names the argument `code`, but `productType` in URLs."""
    sent = {call.query[name] for name in ("code", "productType") if call.query.get(name)}
    if not sent:
        raise CallRefusedError("Required parameter 'code' is not present")
    if len(sent) > 1:
        raise CallRefusedError("Parameters 'code' and 'productType' differ")
    code = sent.pop()
    if not is_els_code(code):
        raise CallRefusedError(f"Invalid code: {code}")
    return code


def _key_row(key: SimulatedElsKey) -> dict[str, str | None]:
    """Return the row of a key; the limit is a string, as in the samples."""
    return {
        "key": key.key,
        "productCode": key.code,
        "usageLimit": str(key.limit),
        "description": key.note or None,
    }


def _server_row(key: SimulatedElsKey, server: SimulatedElsServer) -> dict[str, str]:
    return {"id": server.server_id, "key": key.key, "ip": server.ip, "hostname": server.hostname}


ROUTES = (
    Route("GET", "/els/key/create.json", _create_key),
    Route("GET", "/els/key/update.json", _update_key),
    Route("GET", "/els/key/remove.json", _remove_key),
    Route("GET", "/els/key/list.json", _list_keys),
    Route("GET", "/els/srv/list.json", _list_servers),
    Route("GET", "/els/srv/remove.json", _remove_server),
)
