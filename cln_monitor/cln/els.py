"""ELS keys and the servers registered with them (API document, "ELS Products API")."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

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
from .errors import BadAnswerError
from .fields import LastCheckin, Limit, checkins, host_name, host_names, identities, identity, limit, text, texts
from .rows import unique, unique_servers

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
    "ELS_FOR_CENTOS7": "Extended Support for CentOS 7 Standard",
    "ELS_FOR_CENTOS7_PLUS_SLA": "Extended Support for CentOS 7 Complete",
    "ELS_FOR_CENTOS8STREAM": "CentOS 8 Stream ELS",
    "UELS16_SLA": "Ubuntu 16 ELS with SLA",
    "ELS_FOR_CENTOS6_PLUS_SLA": "CentOS 6 ELS with SLA",
    "ELS_FOR_ORACLE_LINUX_PLUS_SLA": "Oracle ELS with SLA",
    "ELS_FOR_CENTOS8_PLUS_SLA": "CentOS 8 ELS with SLA",
    "EXTENDED_SECURITY_UPDATES": "Extended Security Updates",
}
"""The products in the API documents, by code; CLN has more.

The first ten are those of 2024-03, with codes and names as spelled there; the next three are of 2024-10, and the last
five of the TuxCare portal. CLN refuses codes that it does not know, and which ones it knows depends on its revision.
"""


class ElsKey(msgspec.Struct, frozen=True):
    """An ELS key. ``code``: its product; ``limit``: the maximum number of servers; ``note``: empty without one."""

    key: str
    code: str
    limit: Limit
    note: str

    def is_of(self, product: str) -> bool:
        """Return whether it is a key of ``product``, a code, in whose list it is.

        A CLN that reads another argument than both documents name lists the keys of all products. A key then has the
        ``code`` of another documented product; the codes of a product in two revisions are the same product.
        """
        other, name = ELS_CODES.get(self.code), ELS_CODES.get(product)
        return self.code == product or other is None or name is None or other == name


class ElsServer(msgspec.Struct, frozen=True):
    """A server of the ELS key ``key``. A field that CLN does not report is empty.

    ``last_checkin`` is UNSET if CLN reports no check-ins, as in the revision of 2024-03.
    """

    server_id: str
    key: str
    ip: str
    hostname: str
    last_checkin: LastCheckin = UNSET


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

        The argument is that of :meth:`keys`. CLN reports check-ins since the revision of 2024-10, without a time zone;
        they count as UTC. It is not documented what it reports for a server that never checked in: null, and a missing
        field beside rows that have one, count as never. Raises InvalidArgumentError and ClnError.
        """
        return self._caller.register_secrets(self._caller.get_list(ELS_SERVERS, _ServerRow, _servers, **_product(code)))


class Els(ElsReads):
    """All calls below ``/els``. A change is made once, or the method raises.

    Changes are sent with the methods of 2024-10, POST, PUT and DELETE. Where CLN allows only another one (HTTP 405), as
    GET in 2024-03, the client sends that one, and uses it from then on.
    """

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
                productType=validation.product_code(code),
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

        In the samples of the documents such a server has only its key. Raises InvalidArgumentError, NotDoneError and
        other ClnErrors.
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
    last_checkin: object = msgspec.field(default=UNSET, name="lastCheckin")

    def changed(self, *, server_id: str = "", key: str = "") -> ElsServer:
        """Return the server; ``server_id`` and ``key`` are those of the call, used where CLN does not repeat them."""
        try:
            (last_checkin,) = checkins([self.last_checkin], "lastCheckin")
        except BadAnswerError:  # the server is removed all the same
            last_checkin = UNSET
        names = (text(self.id) or server_id, text(self.key) or key, text(self.ip), host_name(self.hostname))
        return ElsServer(*names, last_checkin)


def _servers(rows: list[_ServerRow]) -> list[ElsServer]:
    servers = map(
        ElsServer,
        identities([row.id for row in rows], "id"),
        texts([row.key for row in rows]),
        texts([row.ip for row in rows]),
        host_names([row.hostname for row in rows]),
        checkins([row.last_checkin for row in rows], "lastCheckin"),
    )
    return unique_servers(list(servers))
