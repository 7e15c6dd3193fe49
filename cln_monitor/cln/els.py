"""ELS keys and the servers registered with them (API document, "ELS Products API")."""

from __future__ import annotations

import msgspec

from . import arguments
from .caller import Caller
from .endpoints import ELS_KEYS, ELS_SERVERS
from .fields import count, identity, text
from .rows import unique

ELS_CODES: dict[str, str] = {
    "CELS": "CentOS 6 ELS",
    "OELS": "Oracle ELS",
    "UELS16": "Ubuntu 16 ELS",
    "CELS_8": "CentOS 8 ELS",
    "UELS18": "Ubuntu 18 ELS",
    "PHP_ELS": "PHP ELS",
    "PYTHON_ELS": "PYTHON ELS",
    "UELS18_SLA": "Ubuntu 16 ELS with SLA",
    "ELS CELS7": "Extended Support for CentOS 7 Standard",
    "ELS CELS7+SLA": "Extended Support for CentOS 7 Complete",
}
"""The products that the API document names, code and name as it spells them; CLN has more."""


class ElsKey(msgspec.Struct, frozen=True):
    """An ELS key. ``code``: its product; ``limit``: most servers, 0 for unlimited, None when CLN tells no number."""

    key: str
    code: str
    limit: int | None
    note: str


class ElsServer(msgspec.Struct, frozen=True):
    """A server of the ELS key ``key``. What CLN does not tell is empty."""

    server_id: str
    key: str
    ip: str
    hostname: str


class ElsReads:
    """The calls below ``/els`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self, code: str) -> list[ElsKey]:
        """Return the keys of the product ``code``, a key once (``/els/key/list.json``).

        The document calls the argument both ``code`` and ``productType``; which one CLN reads is unknown, so both are
        sent. Raises BadArgument and ClnError.
        """
        keys = unique(
            self._caller.read_rows(ELS_KEYS, _KeyRow, _KeyRow.key_of_row, **_product(code)), lambda key: key.key
        )
        for key in keys:
            self._caller.redactor.hide_key(key.key)
        return keys

    def servers(self, code: str) -> list[ElsServer]:
        """Return the servers of all keys of the product ``code``, each once (``/els/srv/list.json``).

        The argument is that of :meth:`keys`. CLN tells no check-in. Raises BadArgument and ClnError.
        """
        servers = unique(
            self._caller.read_rows(ELS_SERVERS, _ServerRow, _ServerRow.server, **_product(code)),
            lambda server: server.server_id,
        )
        for key in {server.key for server in servers}:
            self._caller.redactor.hide_key(key)
        return servers


def _product(code: str) -> dict[str, str]:
    return dict.fromkeys(("code", "productType"), arguments.els_code(code))


class _KeyRow(msgspec.Struct):
    key: object = None
    product_code: object = msgspec.field(default=None, name="productCode")
    usage_limit: object = msgspec.field(default=None, name="usageLimit")
    description: object = None

    def key_of_row(self) -> ElsKey:
        return ElsKey(
            key=identity(self.key, "key"),
            code=text(self.product_code),
            limit=count(self.usage_limit),
            note=text(self.description),
        )


class _ServerRow(msgspec.Struct):
    id: object = None
    key: object = None
    ip: object = None
    hostname: object = None

    def server(self) -> ElsServer:
        return ElsServer(identity(self.id, "id"), text(self.key), text(self.ip), text(self.hostname))
