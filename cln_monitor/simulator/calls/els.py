"""The calls for ELS keys and their servers: `/els/…` (API document: ELS Products API).

The revisions of the document differ in the methods of the calls that change something, in the argument for the product,
in the product codes, and in what they report of servers. Both refuse a product that neither they nor the account know.
"""

from datetime import UTC, datetime

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import (
    ELS_CODES,
    NEWER,
    OLDER,
    Account,
    SimulatedElsKey,
    SimulatedElsServer,
)

from . import arguments, key_calls
from .call import CallRefusedError, Route, SimulatedCall
from .tokens import authorized


def _create_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/create.json`; the argument for the product is `code`, in 2024-10 `productType`."""
    account = authorized(call)
    argument = "code" if call.revision == OLDER else "productType"
    code = _known(call, account, arguments.required(call, argument), argument)
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(_key_row(account.add_els_key(code=code, limit=limit, note=note)))


def _update_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/update.json`: omitted arguments change nothing, as the API document has it for Imunify."""
    key = key_calls.find_key(call, authorized(call).els_keys)
    key_calls.update(call, key)
    return answers.envelope(_key_row(key))


def _remove_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/remove.json` with rows of servers; the samples show only their key, as 2024-10 answers."""
    account = authorized(call)
    key = account.remove_els_key(key_calls.find_key(call, account.els_keys))
    if call.revision == NEWER:
        return answers.envelope([{"key": key.key} for _ in key.servers])
    return answers.envelope([_server_row(call, key, server) for server in key.servers.values()])


def _list_keys(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/key/list.json` with the keys of one product."""
    account = authorized(call)
    code = _product(call, account)
    return answers.envelope([_key_row(key) for key in account.els_keys.values() if key.code == code])


def _list_servers(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/srv/list.json` with the servers of one product; 2024-10 has an argument for a key as well."""
    account = authorized(call)
    code = _product(call, account)
    only = call.query.get("key") if call.revision == NEWER else None
    keys = [key for key in account.els_keys.values() if key.code == code and only in {None, key.key}]
    return answers.envelope([_server_row(call, key, server) for key in keys for server in key.servers.values()])


def _remove_server(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/els/srv/remove.json`."""
    key, server_id = key_calls.find_server(call, authorized(call).els_keys)
    return answers.envelope(_server_row(call, key, key.remove_server(server_id)))


def _product(call: SimulatedCall, account: Account) -> str:
    """Return the product of a list: `productType` in 2024-10; 2024-03 lists `code`, but has `productType` in URLs."""
    if call.revision == NEWER:
        return _known(call, account, arguments.required(call, "productType"), "productType")
    sent = {call.query[name] for name in ("code", "productType") if call.query.get(name)}
    if not sent:
        raise CallRefusedError("Required parameter 'code' is not present")
    if len(sent) > 1:
        raise CallRefusedError("Parameters 'code' and 'productType' differ")
    return _known(call, account, sent.pop(), "code")


def _known(call: SimulatedCall, account: Account, code: str, argument: str) -> str:
    owned = {key.code for key in account.els_keys.values()}
    return arguments.choice(code, {*ELS_CODES[call.revision], *account.els_codes, *owned}, argument)


def _key_row(key: SimulatedElsKey) -> dict[str, str | None]:
    """Return the row of a key; the limit is a string, as in the samples."""
    return {
        "key": key.key,
        "productCode": key.code,
        "usageLimit": str(key.limit),
        "description": key.note or None,
    }


def _server_row(call: SimulatedCall, key: SimulatedElsKey, server: SimulatedElsServer) -> dict[str, str | None]:
    """Return the row of a server; 2024-10 adds its last check-in, in a format without a zone, here UTC.

    How it reports that a server has never checked in is unknown: here as null.
    """
    row: dict[str, str | None] = {"id": server.server_id, "key": key.key}
    row |= {"ip": server.ip, "hostname": server.hostname}
    if call.revision == NEWER:
        at = server.last_checkin(call.now)
        row["lastCheckin"] = None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S.%f}"
    return row


ROUTES = (
    Route("GET", "/els/key/create.json", _create_key, (OLDER,)),
    Route("POST", "/els/key/create.json", _create_key, (NEWER,)),
    Route("GET", "/els/key/update.json", _update_key, (OLDER,)),
    Route("PUT", "/els/key/update.json", _update_key, (NEWER,)),
    Route("GET", "/els/key/remove.json", _remove_key, (OLDER,)),
    Route("DELETE", "/els/key/remove.json", _remove_key, (NEWER,)),
    Route("GET", "/els/key/list.json", _list_keys),
    Route("GET", "/els/srv/list.json", _list_servers),
    Route("GET", "/els/srv/remove.json", _remove_server, (OLDER,)),
    Route("DELETE", "/els/srv/remove.json", _remove_server, (NEWER,)),
)
