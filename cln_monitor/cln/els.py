"""ELS keys and the servers registered with them (API document, "ELS Products API")."""

from __future__ import annotations

import msgspec

from . import validation
from .caller import Caller
from .endpoints import (
    ELS_KEY_CREATE,
    ELS_KEY_REMOVE,
    ELS_KEY_UPDATE,
    ELS_KEYS,
    ELS_SERVER_REMOVE,
    ELS_SERVERS,
)
from .fields import Limit, identity, limit, text
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
"""The products in the API document, by code; CLN has more. Codes and names are spelled as in the document."""


class ElsKey(msgspec.Struct, frozen=True):
    """An ELS key. ``code``: its product; ``limit``: the maximum number of servers; ``note``: empty without one."""

    key: str
    code: str
    limit: Limit
    note: str


class ElsServer(msgspec.Struct, frozen=True):
    """A server of the ELS key ``key``. A field that CLN does not report is empty."""

    server_id: str
    key: str
    ip: str
    hostname: str


class ElsReads:
    """The read-only calls below ``/els``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self, code: str) -> list[ElsKey]:
        """Return the keys of the product ``code``, without duplicates (``/els/key/list.json``).

        The document calls the argument both ``code`` and ``productType``; both are sent, as it is unknown which one is
        read. Raises InvalidArgumentError and ClnError.
        """
        keys = self._caller.get_rows(ELS_KEYS, _KeyRow, _KeyRow.key_of_row, **_product(code))
        return self._caller.register_secrets(unique(keys, lambda key: key.key))

    def servers(self, code: str) -> list[ElsServer]:
        """Return the servers of all keys of the product ``code``, without duplicates (``/els/srv/list.json``).

        The argument is that of :meth:`keys`. CLN does not report check-ins. Raises InvalidArgumentError and ClnError.
        """
        servers = self._caller.get_rows(ELS_SERVERS, _ServerRow, _ServerRow.server, **_product(code))
        return self._caller.register_secrets(unique(servers, lambda server: server.server_id))


class Els(ElsReads):
    """All calls below ``/els``. A change is sent once: it is made, or the method raises."""

    def create_key(self, code: str, limit: int, note: str | None = None) -> ElsKey:
        """Create a key of the product ``code``, such as one of ``ELS_CODES``, and return it (``/els/key/create.json``).

        ``limit``: maximum number of servers, 0 for unlimited. Raises InvalidArgumentError, NotDoneError and other
        ClnErrors.
        """
        return self._caller.register_secret(
            self._caller.change(
                ELS_KEY_CREATE,
                _KeyRow,
                _KeyRow.key_of_row,
                code=validation.product_code(code),
                limit=validation.limit(limit),
                note=validation.optional(validation.note, note),
            )
        )

    def update_key(self, key: str, limit: int | None = None, note: str | None = None) -> ElsKey:
        """Change the limit, the note or both of a key, and return it (``/els/key/update.json``).

        ``limit``: maximum number of servers, 0 for unlimited; an empty ``note`` removes the note. None is not sent; it
        is not documented that CLN then keeps the old value, as it does for Imunify. Raises InvalidArgumentError,
        NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        new_limit, new_note = validation.key_changes(limit, note)
        return self._caller.register_secret(
            self._caller.change(
                ELS_KEY_UPDATE, _KeyRow, lambda row: row.key_of_row(key), key=key, limit=new_limit, note=new_note
            )
        )

    def remove_key(self, key: str) -> list[ElsServer]:
        """Remove a key with all its servers, and return these servers (``/els/key/remove.json``).

        In the document's sample such a server has no id. Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        removed = self._caller.change_rows(ELS_KEY_REMOVE, _ServerRow, lambda row: row.changed(key=key), key=key)
        return self._caller.register_secrets(unique(removed, lambda server: server.server_id))

    def remove_server(self, server_id: str) -> ElsServer:
        """Remove a server and return it (``/els/srv/remove.json``).

        The document's sample shows the address of another call. Raises InvalidArgumentError, NotDoneError when
        the account has no such server, and other ClnErrors.
        """
        server_id = validation.server_id(server_id)
        return self._caller.register_secret(
            self._caller.change(
                ELS_SERVER_REMOVE, _ServerRow, lambda row: row.changed(server_id=server_id), id=server_id
            )
        )


def _product(code: str) -> dict[str, str]:
    return dict.fromkeys(("code", "productType"), validation.product_code(code))


class _KeyRow(msgspec.Struct):
    key: object = None
    product_code: object = msgspec.field(default=None, name="productCode")
    usage_limit: object = msgspec.field(default=None, name="usageLimit")
    description: object = None

    def key_of_row(self, asked_for: str = "") -> ElsKey:
        return ElsKey(
            key=identity(self.key, "key", asked_for),
            code=text(self.product_code),
            limit=limit(self.usage_limit),
            note=text(self.description),
        )


class _ServerRow(msgspec.Struct):
    id: object = None
    key: object = None
    ip: object = None
    hostname: object = None

    def server(self) -> ElsServer:
        return ElsServer(identity(self.id, "id"), text(self.key), text(self.ip), text(self.hostname))

    def changed(self, *, server_id: str = "", key: str = "") -> ElsServer:
        """Return the server; ``server_id`` and ``key`` are those of the call, used where CLN does not repeat them."""
        return ElsServer(text(self.id) or server_id, text(self.key) or key, text(self.ip), text(self.hostname))
