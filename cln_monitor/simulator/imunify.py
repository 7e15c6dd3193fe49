"""Imunify keys and their servers: `/im/…` (API document: Imunify Product family API)."""

from . import answers, names
from .answers import Answer
from .calls import Call, Refused, Route
from .checkins import CheckIns
from .keys import Key, Server
from .ledger import Ledger
from .tokens import authorized


class ImunifyServer(Server):
    """A server with Imunify."""

    __slots__ = ()


class ImunifyKey(Key[ImunifyServer]):
    """An Imunify key. `code` is the product: `AVP`, `360_1`, `360_30`, `360_250`, `360_UN`, or a newer one."""

    def __init__(self, ledger: Ledger, key: str, *, code: str, limit: int, note: str) -> None:
        super().__init__(ledger, key, limit=limit, note=note)
        self.code = code

    def _mint_id(self) -> str:
        return names.imunify_server_id(self._ledger.random)

    def _make(self, server_id: str, ip: str, hostname: str, created: float, checkins: CheckIns) -> ImunifyServer:
        return ImunifyServer(server_id, ip, hostname, created, checkins)


def _list_keys(call: Call) -> Answer:
    """`/im/key/list.json`: the numbers are strings, as in the samples."""
    return answers.envelope(
        [
            {
                "key": key.key,
                "limit": str(key.limit),
                "code": key.code,
                "servers": str(len(key.servers)),
            }
            for key in authorized(call).imunify_keys.values()
        ]
    )


def _list_servers(call: Call) -> Answer:
    """`/im/srv/list.json`."""
    key = authorized(call).imunify_keys.get(call.argument("key"))
    if key is None:
        raise Refused("Key not found")
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


ROUTES = (
    Route("GET", "/im/key/list.json", _list_keys),
    Route("GET", "/im/srv/list.json", _list_servers),
)
