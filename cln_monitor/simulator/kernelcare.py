"""KernelCare keys and their servers: `/kcare/key/…` (API document: KernelCare API)."""

from . import answers, names
from .answers import Answer
from .calls import Call, Refused, Route
from .checkins import DAY, CheckIns
from .keys import HEALTHY, Key, Server
from .ledger import Ledger
from .tokens import authorized

PATCH_STATES = ("uptodate", "outofdate", "unsupported", "inactive")
INACTIVE_AFTER = 30 * DAY


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
    """A KernelCare key. `created` is Unix seconds."""

    def __init__(self, ledger: Ledger, key: str, *, limit: int, note: str, enabled: bool, created: float) -> None:
        super().__init__(ledger, key, limit=limit, note=note)
        self.enabled = enabled
        self.created = created

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
    key = authorized(call).kernelcare_keys.get(call.argument("key"))
    if key is None:
        raise Refused("Key not found")
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


ROUTES = (
    Route("GET", "/kcare/key/list.json", _list_keys),
    Route("GET", "/kcare/key/servers.json", _list_servers),
)
