"""CloudLinux OS keys and their servers, and the servers of sub-accounts."""

from dataclasses import dataclass
from typing import ClassVar

from . import names
from .checkins import SimulatedCheckIns
from .keys import Key
from .ledger import SimulationState
from .servers import SimulatedServer

CLOUDLINUX_PRODUCTS = ("CL", "CLP", "CLS", "CLADMIN")  # API document of 2024-10: CloudLinux OS


class SimulatedCloudLinuxServer(SimulatedServer):
    """A server with CloudLinux OS. No call reports its check-ins."""

    __slots__ = ()
    product: ClassVar[str] = "CLOUDLINUX"


class SimulatedCloudLinuxKey(Key[SimulatedCloudLinuxServer]):
    """A CloudLinux OS key. `product_type` is its product, one of `CLOUDLINUX_PRODUCTS`."""

    def __init__(self, state: SimulationState, key: str, *, product_type: str, limit: int, note: str) -> None:
        if product_type not in CLOUDLINUX_PRODUCTS:
            raise ValueError(f"key {key}: product_type must be one of {', '.join(CLOUDLINUX_PRODUCTS)}")
        super().__init__(state, key, limit=limit, note=note)
        self.product_type = product_type

    def _mint_id(self) -> str:
        return names.cloudlinux_server_id(self._state.random)

    def _make(
        self, server_id: str, ip: str, hostname: str, created: float, checkins: SimulatedCheckIns
    ) -> SimulatedCloudLinuxServer:
        return SimulatedCloudLinuxServer(server_id, ip, hostname, created, checkins)


@dataclass(frozen=True, slots=True)
class SubAccountServer:
    """A server of a sub-account, with the login and the e-mail address of the sub-account."""

    login: str
    email: str
    server_id: int
    key: str
    version: int
    ip: str
