"""The calls on ELS keys and their servers: `/els/…` (API document: ELS Products API)."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import ELS_CODES, SimulatedElsKey, SimulatedElsServer, is_els_code

from . import arguments, key_calls
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/key/create.json`."""
    account = authorized(call)
    code = arguments.one_of(arguments.required(call, "code"), ELS_CODES, "code")
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(_key_row(account.add_els_key(code=code, limit=limit, note=note)))


def _update_key(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/key/update.json`: what the call does not name stays, as the document says of Imunify."""
    key = key_calls.own(call, authorized(call).els_keys)
    key_calls.update(call, key)
    return answers.envelope(_key_row(key))


def _remove_key(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/key/remove.json`: the rows are those of the servers, of which the sample shows the key alone."""
    account = authorized(call)
    key = account.remove_els_key(key_calls.own(call, account.els_keys))
    return answers.envelope([_server_row(key, server) for server in key.servers.values()])


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/key/list.json`: the keys of one product."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope([_key_row(key) for key in keys.values() if key.code == code])


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/srv/list.json`: the servers of one product; the document speaks of a key, but names no argument for it."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope(
        [_server_row(key, server) for key in keys.values() if key.code == code for server in key.servers.values()]
    )


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """`/els/srv/remove.json`."""
    key, server_id = key_calls.holding(call, authorized(call).els_keys)
    return answers.envelope(_server_row(key, key.remove_server(server_id)))


def _product(call: SimulatedCall) -> str:
    """The product of a list: the document calls the argument `code`, and `productType` in the URLs."""
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
    """The limit is a string, as in the samples."""
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
