"""Imunify keys and their servers."""

from typing import ClassVar

from . import names
from .checkins import SimulatedCheckIns
from .keys import Key
from .ledger import SimulationState
from .servers import SimulatedServer

IMUNIFY_CODES = ("AVP", "360_1", "360_30", "360_250", "360_UN")  # API document: Imunify product codes


class SimulatedImunifyServer(SimulatedServer):
    """A server with Imunify."""

    __slots__ = ()
    product: ClassVar[str] = "IMUNIFY"


class SimulatedImunifyKey(Key[SimulatedImunifyServer]):
    """An Imunify key. `code` is the product, one of `IMUNIFY_CODES` or a newer one."""

    def __init__(self, state: SimulationState, key: str, *, code: str, limit: int, note: str) -> None:
        super().__init__(state, key, limit=limit, note=note)
        self.code = code

    def _mint_id(self) -> str:
        return names.imunify_server_id(self._state.random)

    def _make(
        self, server_id: str, ip: str, hostname: str, created: float, checkins: SimulatedCheckIns
    ) -> SimulatedImunifyServer:
        return SimulatedImunifyServer(server_id, ip, hostname, created, checkins)
