"""The calls for Imunify keys and their servers: `/im/…` (API document: Imunify Product family API)."""

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import IMUNIFY_CODES, SimulatedImunifyKey

from . import arguments, key_calls
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/key/create.json`; the row has no number of servers, as in the sample."""
    account = authorized(call)
    code = arguments.choice(arguments.required(call, "code"), IMUNIFY_CODES, "code")
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(_key_row(account.add_imunify_key(code=code, limit=limit, note=note)))


def _update_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/key/update.json`.

    The API document lists `servers` among the arguments, but it is a field of the response: it changes nothing.
    """
    key = key_calls.find_key(call, authorized(call).imunify_keys)
    key_calls.update(call, key)
    return answers.envelope(_counted_key_row(key))


def _remove_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/key/remove.json`."""
    account = authorized(call)
    key = account.remove_imunify_key(key_calls.find_key(call, account.imunify_keys))
    return answers.envelope([_server_row(key, server_id) for server_id in key.servers])


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/key/list.json`."""
    return answers.envelope([_counted_key_row(key) for key in authorized(call).imunify_keys.values()])


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/srv/list.json`."""
    key = key_calls.find_key(call, authorized(call).imunify_keys)
    return answers.envelope(
        [
            {
                "id": server.server_id,
                "ip": server.ip,
                "key": key.key,
                **call.dates.field("last_checkin", server.last_checkin(call.now)),
            }
            for server in key.servers.values()
        ]
    )


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/srv/remove.json`."""
    key, server_id = key_calls.find_server(call, authorized(call).imunify_keys)
    key.remove_server(server_id)
    return answers.envelope(_server_row(key, server_id))


def _convert_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/im/srv/convert.json`; a server that is on the key already is not changed."""
    keys = authorized(call).imunify_keys
    key, server_id = key_calls.find_server(call, keys)
    other = key_calls.find_key(call, keys)
    if server_id not in other.servers:
        if other.is_full:
            raise CallRefusedError("Key limit is reached")
        key.move_server(server_id, other)
    return answers.envelope(_server_row(other, server_id))


def _key_row(key: SimulatedImunifyKey) -> dict[str, str]:
    """Return the row of a key; the limit is a string, as in the samples."""
    return {"key": key.key, "limit": str(key.limit), "code": key.code}


def _counted_key_row(key: SimulatedImunifyKey) -> dict[str, str]:
    """Return the row of a key with its number of servers, and its note, which the samples do not have."""
    note = {"note": key.note} if key.note else {}
    return {**_key_row(key), "servers": str(len(key.servers)), **note}


def _server_row(key: SimulatedImunifyKey, server_id: str) -> dict[str, str]:
    return {"id": server_id, "key": key.key}


ROUTES = (
    Route("GET", "/im/key/create.json", _create_key),
    Route("GET", "/im/key/update.json", _update_key),
    Route("GET", "/im/key/remove.json", _remove_key),
    Route("GET", "/im/key/list.json", _list_keys),
    Route("GET", "/im/srv/list.json", _list_servers),
    Route("GET", "/im/srv/remove.json", _remove_server),
    Route("GET", "/im/srv/convert.json", _convert_server),
)
