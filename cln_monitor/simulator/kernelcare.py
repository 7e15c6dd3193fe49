"""KernelCare keys and their servers: `/kcare/key/…`, `/kcare/srv/…` (API document: KernelCare API)."""

import re
from ipaddress import ip_address, ip_network

from . import answers, arguments, key_calls, names
from .answers import Answer
from .calls import Call, Route
from .checkins import DAY, CheckIns
from .keys import HEALTHY, Key, Server, holder
from .ledger import Ledger
from .tokens import authorized

PATCH_STATES = ("uptodate", "outofdate", "unsupported", "inactive")
INACTIVE_AFTER = 30 * DAY
_PREFIX = re.compile(r"[0-9]{1,3}")
_ADDED, _BAD_ADDRESS, _BAD_PREFIX = 0, 1, 2


def _known(state: str) -> str:
    if state not in PATCH_STATES:
        raise ValueError(f"patch_state = {state!r}: must be one of {', '.join(PATCH_STATES)}")
    return state


class KernelCareServer(Server):
    """A server with KernelCare and the state of its patches."""

    __slots__ = ("_patch_state",)
    _patch_state: str

    @property
    def patch_state(self) -> str:
        """One of `uptodate`, `outofdate`, `unsupported`, `inactive`. Setting another is a ValueError."""
        return self._patch_state

    @patch_state.setter
    def patch_state(self, state: str) -> None:
        self._patch_state = _known(state)

    def state_at(self, now: float) -> str:
        """Its patch state as CLN sees it: `inactive` once nothing was heard of it for over 30 days."""
        heard = self.last_checkin(now)
        silent = now - (self.created if heard is None else heard)
        return "inactive" if silent > INACTIVE_AFTER else self._patch_state


class KernelCareKey(Key[KernelCareServer]):
    """A KernelCare key. `created` is Unix seconds; `cidrs` are the networks that its servers may be in."""

    def __init__(self, ledger: Ledger, key: str, *, limit: int, note: str, enabled: bool, created: float) -> None:
        super().__init__(ledger, key, limit=limit, note=note)
        self.enabled = enabled
        self.created = created
        self.cidrs: list[str] = []

    def add_server(
        self,
        server_id: str | None = None,
        *,
        ip: str | None = None,
        hostname: str | None = None,
        created: float | None = None,
        last_checkin: float | CheckIns | None = HEALTHY,
        patch_state: str = "uptodate",
    ) -> KernelCareServer:
        """Register a server; `patch_state` as in `KernelCareServer.patch_state`, all else as in `Key`."""
        _known(patch_state)
        with self._ledger.lock:
            server = super().add_server(server_id, ip=ip, hostname=hostname, created=created, last_checkin=last_checkin)
            server.patch_state = patch_state
            return server

    def _mint_id(self) -> str:
        return names.kernelcare_name(self._ledger.random)

    def _make(self, server_id: str, ip: str, hostname: str, created: float, checkins: CheckIns) -> KernelCareServer:
        server = KernelCareServer(server_id, ip, hostname, created, checkins)
        server.patch_state = "uptodate"
        return server


def _create_key(call: Call) -> Answer:
    """`/kcare/key/create.json`: the data is the key itself."""
    account = authorized(call)
    limit, note = arguments.whole(call, "limit"), arguments.note(call)
    return answers.envelope(account.add_kernelcare_key(limit=limit, note=note).key)


def _delete_key(call: Call) -> Answer:
    """`/kcare/key/delete.json`: the servers of the key go with it; false when the account has no such key."""
    account, key = authorized(call), arguments.required(call, "key")
    found = key in account.kernelcare_keys
    if found:
        account.remove_kernelcare_key(key)
    return answers.envelope(found)


def _list_keys(call: Call) -> Answer:
    """`/kcare/key/list.json`."""
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


def _list_servers(call: Call) -> Answer:
    """`/kcare/key/servers.json`."""
    key = key_calls.own(call, authorized(call).kernelcare_keys)
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


def _set_cidr(call: Call) -> Answer:
    """`/kcare/key/set_cidr.json`: all networks are added to those of the key, or none.

    The first that is irregular decides the code. A network without a prefix has an irregular one; address
    bits behind the prefix are cleared. Code 3, an internal error, does not happen here: a fault can answer it.
    """
    key = key_calls.own(call, authorized(call).kernelcare_keys)
    cidrs = arguments.listed(call, "cidr", r"\s,;")
    code = next((code for code in map(_code, cidrs) if code != _ADDED), _ADDED)
    if code == _ADDED:
        networks = (str(ip_network(cidr, strict=False)) for cidr in cidrs)
        key.cidrs = list(dict.fromkeys([*key.cidrs, *networks]))
    return answers.envelope({"code": code})


def _remove_server(call: Call) -> Answer:
    """`/kcare/srv/remove.json`: a server that is not there is no failure."""
    keys, server_id = authorized(call).kernelcare_keys, arguments.required(call, "server_id")
    key = holder(keys, server_id)
    if key is None:
        return answers.envelope(None, "Server not found")
    key.remove_server(server_id)
    return answers.envelope({"server_id": server_id, "key": key.key})


def _code(cidr: str) -> int:
    """What is irregular about a network, if anything."""
    ip, _, prefix = cidr.partition("/")
    try:
        longest = ip_address(arguments.canonical(ip)).max_prefixlen
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
