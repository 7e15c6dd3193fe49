"""KernelCare keys and their servers."""

from typing import ClassVar

from . import names
from .checkins import DAY, HEALTHY, SimulatedCheckIns
from .keys import Key
from .ledger import SimulationState
from .servers import SimulatedServer

PATCH_STATES = ("uptodate", "outofdate", "unsupported", "inactive")
INACTIVE_AFTER = 30 * DAY


def _known(state: str) -> str:
    if state not in PATCH_STATES:
        raise ValueError(f"patch_state = {state!r}: must be one of {', '.join(PATCH_STATES)}")
    return state


class SimulatedKernelCareServer(SimulatedServer):
    """A server with KernelCare and the state of its patches."""

    __slots__ = ("_patch_state",)
    product: ClassVar[str] = "KERNELCARE"
    _patch_state: str

    @property
    def patch_state(self) -> str:
        """One of `uptodate`, `outofdate`, `unsupported`, `inactive`. Any other value raises ValueError."""
        return self._patch_state

    @patch_state.setter
    def patch_state(self, state: str) -> None:
        self._patch_state = _known(state)

    def state_at(self, now: float) -> str:
        """Return the patch state at `now`: `inactive` after more than 30 days without a check-in."""
        checkin = self.last_checkin(now)
        silent = now - (self.created if checkin is None else checkin)
        return "inactive" if silent > INACTIVE_AFTER else self._patch_state


class SimulatedKernelCareKey(Key[SimulatedKernelCareServer]):
    """A KernelCare key. `created` is Unix seconds; `cidrs` are the networks from which servers may register."""

    def __init__(
        self, state: SimulationState, key: str, *, limit: int, note: str, enabled: bool, created: float
    ) -> None:
        super().__init__(state, key, limit=limit, note=note)
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
        last_checkin: float | SimulatedCheckIns | None = HEALTHY,
        patch_state: str = "uptodate",
    ) -> SimulatedKernelCareServer:
        """Register a server; `patch_state` is that of `SimulatedKernelCareServer`, the others are those of `Key`."""
        _known(patch_state)
        with self._state.lock:
            server = super().add_server(server_id, ip=ip, hostname=hostname, created=created, last_checkin=last_checkin)
            server.patch_state = patch_state
            return server

    def _mint_id(self) -> str:
        return names.kernelcare_name(self._state.random)

    def _make(
        self, server_id: str, ip: str, hostname: str, created: float, checkins: SimulatedCheckIns
    ) -> SimulatedKernelCareServer:
        server = SimulatedKernelCareServer(server_id, ip, hostname, created, checkins)
        server.patch_state = "uptodate"
        return server
