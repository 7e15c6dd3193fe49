"""ELS keys and their servers."""

import re
from collections.abc import Mapping
from typing import ClassVar

from . import names
from .checkins import SimulatedCheckIns
from .keys import Key
from .ledger import SimulationState
from .revisions import NEWER, OLDER
from .servers import SimulatedServer

_IN_BOTH = ("CELS", "OELS", "UELS16", "CELS_8", "UELS18", "PHP_ELS", "PYTHON_ELS", "UELS18_SLA")
ELS_CODES: Mapping[str, tuple[str, ...]] = {  # API document: ELS product codes
    OLDER: (*_IN_BOTH, "ELS CELS7", "ELS CELS7+SLA"),
    NEWER: (*_IN_BOTH, "ELS_FOR_CENTOS7", "ELS_FOR_CENTOS7_PLUS_SLA", "ELS_FOR_CENTOS8STREAM"),
}
"""The product codes in each revision."""
_CODE = re.compile(r"[A-Za-z0-9_+ -]{1,32}")


def is_els_code(code: str) -> bool:
    """Return whether a text has the form of a product code, even of an undocumented one."""
    return _CODE.fullmatch(code) is not None


class SimulatedElsServer(SimulatedServer):
    """A server with ELS. The revision of 2024-03 does not report its check-ins."""

    __slots__ = ()
    product: ClassVar[str] = "ELS"


class SimulatedElsKey(Key[SimulatedElsServer]):
    """An ELS key. `code` is the product, one of `ELS_CODES` or a newer one."""

    def __init__(self, state: SimulationState, key: str, *, code: str, limit: int, note: str) -> None:
        if not is_els_code(code):
            raise ValueError(f"key {key}: code must be 1 to 32 letters, digits, blanks and _ + -, not {code!r}")
        super().__init__(state, key, limit=limit, note=note)
        self.code = code

    def _mint_id(self) -> str:
        return names.els_server_id(self._state.random)

    def _make(
        self, server_id: str, ip: str, hostname: str, created: float, checkins: SimulatedCheckIns
    ) -> SimulatedElsServer:
        return SimulatedElsServer(server_id, ip, hostname, created, checkins)
