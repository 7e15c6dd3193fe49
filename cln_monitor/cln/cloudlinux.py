"""CloudLinux OS keys and the servers registered with them (API document of 2024-10, ``/v2/cl``).

These calls have no envelope. The document does not say what errors look like; they are taken to be a JSON object with a
``message`` and an HTTP status of 400 or more. It does not say either whether lists have pages.
"""

from __future__ import annotations

import msgspec

from cln_monitor.masking import mask_key

from . import validation
from .caller import Caller
from .endpoints import (
    CLOUDLINUX_KEY_CREATE,
    CLOUDLINUX_KEY_REMOVE,
    CLOUDLINUX_KEY_UPDATE,
    CLOUDLINUX_KEYS,
    CLOUDLINUX_SERVER_REMOVE,
    CLOUDLINUX_SERVERS,
    SUB_ACCOUNT_SERVERS,
)
from .fields import Limit, count, host_name, identity, limit, text
from .rows import RemovedRow, RemovedServer, unique

CLOUDLINUX_PRODUCTS: dict[str, str] = {
    "CL": "CloudLinux OS",
    "CLP": "CloudLinux OS Shared Pro",
    "CLS": "CloudLinux OS Solo",
    "CLADMIN": "CloudLinux OS Admin",
}
"""The products of keys in the API document, by the argument ``productType``."""


class CloudLinuxKey(msgspec.Struct, frozen=True):
    """A CloudLinux OS key. ``product``: its product in capitals; ``limit``: the maximum number of servers.

    ``note`` is empty without one.
    """

    key: str
    product: str
    limit: Limit
    note: str


class CloudLinuxServer(msgspec.Struct, frozen=True):
    """A server of the CloudLinux OS key ``key``. A field that CLN does not report is empty."""

    server_id: str
    key: str
    ip: str
    hostname: str


class SubAccountServer(msgspec.Struct, frozen=True):
    """A server of a sub-account. CLN reports the e-mail address of the sub-account as well, which is not read.

    ``login`` is the mask of the login if that is an e-mail address. ``version`` is probably the major version of the
    operating system; None if CLN does not report a whole number.
    """

    login: str
    server_id: str
    key: str
    version: int | None
    ip: str


class CloudLinuxReads:
    """The read-only calls below ``/v2/cl``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self, product: str) -> list[CloudLinuxKey]:
        """Return the keys of a ``product``, such as one of ``CLOUDLINUX_PRODUCTS`` (``GET /v2/cl/keys``).

        A key that CLN reports with another one of these products is left out: it is not documented that CLN lists only
        the keys of the requested product. Raises InvalidArgumentError and ClnError.
        """
        product_type = validation.cloudlinux_product(product)
        keys = self._caller.get_rows(CLOUDLINUX_KEYS, _KeyRow, _KeyRow.key_of_row, productType=product_type)
        listed = self._caller.register_secrets(unique(keys, lambda key: key.key))
        others = CLOUDLINUX_PRODUCTS.keys() - {product_type}
        return [key for key in listed if key.product not in others]

    def servers(self, product: str) -> list[CloudLinuxServer]:
        """Return the servers of all keys of a ``product`` (``GET /v2/cl/servers``).

        Raises InvalidArgumentError and ClnError.
        """
        product_type = validation.cloudlinux_product(product)
        servers = self._caller.get_rows(CLOUDLINUX_SERVERS, _ServerRow, _ServerRow.server, productType=product_type)
        return self._caller.register_secrets(unique(servers, lambda server: server.server_id))

    def sub_account_servers(self) -> list[SubAccountServer]:
        """Return the servers of the account's sub-accounts (``GET /v2/cl/sub-account/servers``). Raises ClnError."""
        servers = self._caller.get_rows(SUB_ACCOUNT_SERVERS, _SubAccountRow, _SubAccountRow.server)
        return self._caller.register_secrets(servers)


class CloudLinux(CloudLinuxReads):
    """All calls below ``/v2/cl``. A change is sent once: it is made, or the method raises."""

    def create_key(self, product: str, limit: int, note: str | None = None) -> CloudLinuxKey:
        """Create a key of a ``product`` and return it (``POST /v2/cl/keys``).

        ``limit``: maximum number of servers. Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        return self._caller.register_secret(
            self._caller.change(
                CLOUDLINUX_KEY_CREATE,
                _KeyRow,
                _KeyRow.key_of_row,
                limit=validation.limit(limit),
                productType=validation.cloudlinux_product(product),
                note=validation.optional(validation.note, note),
            )
        )

    def update_key(self, key: str, limit: int, note: str | None = None) -> CloudLinuxKey:
        """Change the limit of a key, and its note if given, and return it (``PATCH /v2/cl/keys``).

        The ``limit`` is required. An empty ``note`` removes the note; None is not sent, and it is not documented that
        CLN then keeps the note. Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        return self._caller.register_secret(
            self._caller.change(
                CLOUDLINUX_KEY_UPDATE,
                _KeyRow,
                lambda row: row.key_of_row(key),
                key=key,
                limit=validation.limit(limit),
                note=validation.optional(validation.new_note, note),
            )
        )

    def remove_key(self, key: str) -> None:
        """Remove a key (``DELETE /v2/cl/keys``).

        It is not documented what happens to its servers. Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        self._caller.change(CLOUDLINUX_KEY_REMOVE, _RemovedKeyRow, lambda row: identity(row.key, "key", key), key=key)

    def remove_server(self, server_id: str) -> RemovedServer:
        """Remove a server and return it (``DELETE /v2/cl/servers``).

        Raises InvalidArgumentError, NotDoneError when the account has no such server, and other ClnErrors.
        """
        server_id = validation.server_id(server_id)
        return self._caller.register_secret(
            self._caller.change(
                CLOUDLINUX_SERVER_REMOVE, RemovedRow, lambda row: row.server(server_id=server_id), id=server_id
            )
        )


class _KeyRow(msgspec.Struct):
    key: object = None
    product_type: object = None
    usage_limit: object = None
    description: object = None

    def key_of_row(self, asked_for: str = "") -> CloudLinuxKey:
        return CloudLinuxKey(
            key=identity(self.key, "key", asked_for),
            product=text(self.product_type).upper(),
            limit=limit(self.usage_limit),
            note=text(self.description),
        )


class _RemovedKeyRow(msgspec.Struct):
    key: object = None


class _ServerRow(msgspec.Struct):
    id: object = None
    key: object = None
    ip: object = None
    hostname: object = None

    def server(self) -> CloudLinuxServer:
        return CloudLinuxServer(identity(self.id, "id"), text(self.key), text(self.ip), host_name(self.hostname))


class _SubAccountRow(msgspec.Struct):
    sub_account_login: object = None
    server_id: object = None
    server_key: object = None
    version: object = None
    ip: object = None

    def server(self) -> SubAccountServer:
        login = text(self.sub_account_login)
        return SubAccountServer(
            mask_key(login) if "@" in login else login,
            identity(self.server_id, "server_id"),
            text(self.server_key),
            count(self.version),
            text(self.ip),
        )
