"""ELS keys and their servers: `/els/…` (API document: ELS Products API)."""

import re

from . import answers, arguments, key_calls, names
from .answers import Answer
from .calls import Call, Refused, Route
from .checkins import CheckIns
from .keys import Key, Server
from .ledger import Ledger
from .tokens import authorized

PRODUCT_CODES = (  # API document: ELS product codes, as they stand there
    "CELS",
    "OELS",
    "UELS16",
    "CELS_8",
    "UELS18",
    "PHP_ELS",
    "PYTHON_ELS",
    "UELS18_SLA",
    "ELS CELS7",
    "ELS CELS7+SLA",
)
_CODE = re.compile(r"[A-Za-z0-9_+ -]{1,32}")


def is_code(code: str) -> bool:
    """Whether a text looks like a product code, also one that no document knows."""
    return _CODE.fullmatch(code) is not None


class ElsServer(Server):
    """A server with ELS. No call tells of its check-ins."""

    __slots__ = ()


class ElsKey(Key[ElsServer]):
    """An ELS key. `code` is the product, one of `PRODUCT_CODES` or a newer one."""

    def __init__(self, ledger: Ledger, key: str, *, code: str, limit: int, note: str) -> None:
        if not is_code(code):
            raise ValueError(f"key {key}: code must be 1 to 32 letters, digits, blanks and _ + -, not {code!r}")
        super().__init__(ledger, key, limit=limit, note=note)
        self.code = code

    def _mint_id(self) -> str:
        return names.els_server_id(self._ledger.random)

    def _make(self, server_id: str, ip: str, hostname: str, created: float, checkins: CheckIns) -> ElsServer:
        return ElsServer(server_id, ip, hostname, created, checkins)


def _create_key(call: Call) -> Answer:
    """`/els/key/create.json`."""
    account = authorized(call)
    code = arguments.one_of(arguments.required(call, "code"), PRODUCT_CODES, "code")
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(_key_row(account.add_els_key(code=code, limit=limit, note=note)))


def _update_key(call: Call) -> Answer:
    """`/els/key/update.json`: what the call does not name stays, as the document says of Imunify."""
    key = key_calls.own(call, authorized(call).els_keys)
    key_calls.update(call, key)
    return answers.envelope(_key_row(key))


def _remove_key(call: Call) -> Answer:
    """`/els/key/remove.json`: the rows are those of the servers, of which the sample shows the key alone."""
    account = authorized(call)
    key = account.remove_els_key(key_calls.own(call, account.els_keys))
    return answers.envelope([_server_row(key, server) for server in key.servers.values()])


def _list_keys(call: Call) -> Answer:
    """`/els/key/list.json`: the keys of one product."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope([_key_row(key) for key in keys.values() if key.code == code])


def _list_servers(call: Call) -> Answer:
    """`/els/srv/list.json`: the servers of one product; the document speaks of a key, but names no argument for it."""
    keys, code = authorized(call).els_keys, _product(call)
    return answers.envelope(
        [_server_row(key, server) for key in keys.values() if key.code == code for server in key.servers.values()]
    )


def _remove_server(call: Call) -> Answer:
    """`/els/srv/remove.json`."""
    key, server_id = key_calls.holding(call, authorized(call).els_keys)
    return answers.envelope(_server_row(key, key.remove_server(server_id)))


def _product(call: Call) -> str:
    """The product of a list: the document calls the argument `code`, and `productType` in the URLs."""
    sent = {call.query[name] for name in ("code", "productType") if call.query.get(name)}
    if not sent:
        raise Refused("Required parameter 'code' is not present")
    if len(sent) > 1:
        raise Refused("Parameters 'code' and 'productType' differ")
    code = sent.pop()
    if not is_code(code):
        raise Refused(f"Invalid code: {code}")
    return code


def _key_row(key: ElsKey) -> dict[str, str | None]:
    """The limit is a string, as in the samples."""
    return {
        "key": key.key,
        "productCode": key.code,
        "usageLimit": str(key.limit),
        "description": key.note or None,
    }


def _server_row(key: ElsKey, server: ElsServer) -> dict[str, str]:
    return {"id": server.server_id, "key": key.key, "ip": server.ip, "hostname": server.hostname}


ROUTES = (
    Route("GET", "/els/key/create.json", _create_key),
    Route("GET", "/els/key/update.json", _update_key),
    Route("GET", "/els/key/remove.json", _remove_key),
    Route("GET", "/els/key/list.json", _list_keys),
    Route("GET", "/els/srv/list.json", _list_servers),
    Route("GET", "/els/srv/remove.json", _remove_server),
)
