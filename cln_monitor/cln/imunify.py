"""Imunify keys and the servers registered with them (API document, "Imunify Product family API")."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from . import validation
from .caller import Caller
from .endpoints import (
    IMUNIFY_KEY_CREATE,
    IMUNIFY_KEY_REMOVE,
    IMUNIFY_KEY_UPDATE,
    IMUNIFY_KEYS,
    IMUNIFY_SERVER_CONVERT,
    IMUNIFY_SERVER_REMOVE,
    IMUNIFY_SERVERS,
)
from .fields import LastCheckin, Limit, checkins, identities, identity, limit, text, texts
from .rows import RemovedRow, RemovedServer, unique, unique_servers

IMUNIFY_CODES: dict[str, str] = {
    "AVP": "ImunifyAV+",
    "360_1": "Imunify360 single user",
    "360_30": "Imunify360 up to 30 users",
    "360_250": "Imunify360 up to 250 users",
    "360_UN": "Imunify360 unlimited",
}
"""The products of keys, by code."""


class ImunifyKey(msgspec.Struct, frozen=True):
    """An Imunify key. ``code``: its product; ``servers``: the number of servers, with the same types as a limit.

    ``note`` and ``type`` are empty if CLN does not report them. The API document does not list these fields, and the
    values of ``type`` are unknown.
    """

    key: str
    code: str
    limit: Limit
    servers: Limit
    note: str = ""
    type: str = ""


# A server is never part of a reference cycle, so the garbage collector can skip a hundred thousand of them.
class ImunifyServer(msgspec.Struct, frozen=True, gc=False):
    """A server of an Imunify key."""

    server_id: str
    ip: str
    last_checkin: LastCheckin = UNSET


class ConvertedServer(msgspec.Struct, frozen=True):
    """A server that was moved, and its new key."""

    server_id: str
    key: str


class ImunifyReads:
    """The read-only calls below ``/im``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self) -> list[ImunifyKey]:
        """Return all Imunify keys of the account, without duplicates (``/im/key/list.json``). Raises ClnError."""
        keys = self._caller.get_rows(IMUNIFY_KEYS, _KeyRow, _KeyRow.key_of_row)
        return self._caller.register_secrets(unique(keys, lambda key: key.key))

    def servers(self, key: str | ImunifyKey) -> list[ImunifyServer]:
        """Return the servers of ``key``, without duplicates (``/im/srv/list.json``).

        Raises InvalidArgumentError and ClnError.
        """
        key = validation.key_to_read(key)
        return self._caller.get_list(IMUNIFY_SERVERS, _ServerRow, _servers, key=key)


class Imunify(ImunifyReads):
    """All calls below ``/im``. A change is sent once: it is made, or the method raises."""

    def create_key(self, code: str, limit: int, note: str | None = None) -> ImunifyKey:
        """Create a key of the product ``code``, such as one of ``IMUNIFY_CODES``, and return it.

        The call is ``/im/key/create.json``; CLN has codes that the document does not list. ``limit``: maximum number of
        servers, 0 for unlimited. Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        return self._caller.register_secret(
            self._caller.change(
                IMUNIFY_KEY_CREATE,
                _KeyRow,
                _KeyRow.key_of_row,
                code=validation.product_code(code),
                limit=validation.limit(limit),
                note=validation.optional(validation.note, note),
            )
        )

    def update_key(self, key: str, limit: int | None = None, note: str | None = None) -> ImunifyKey:
        """Change the limit, the note or both of a key, and return it (``/im/key/update.json``).

        ``limit``: maximum number of servers, 0 for unlimited; an empty ``note`` removes the note; None keeps the old
        value. It is not documented what happens to servers above a lower limit. Raises InvalidArgumentError,
        NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        new_limit, new_note = validation.key_changes(limit, note)
        return self._caller.register_secret(
            self._caller.change(
                IMUNIFY_KEY_UPDATE, _KeyRow, lambda row: row.key_of_row(key), key=key, limit=new_limit, note=new_note
            )
        )

    def remove_key(self, key: str) -> list[RemovedServer]:
        """Remove a key with all its servers, and return these servers (``/im/key/remove.json``).

        Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        key = validation.license_key(key)
        removed = self._caller.change_rows(IMUNIFY_KEY_REMOVE, RemovedRow, lambda row: row.server(key=key), key=key)
        return self._caller.register_secrets(unique(removed, lambda server: server.server_id))

    def remove_server(self, server_id: str) -> RemovedServer:
        """Remove a server and return it, with its key if CLN reports it (``/im/srv/remove.json``).

        Raises InvalidArgumentError, NotDoneError when the account has no such server, and other ClnErrors.
        """
        server_id = validation.server_id(server_id)
        return self._caller.register_secret(
            self._caller.change(
                IMUNIFY_SERVER_REMOVE, RemovedRow, lambda row: row.server(server_id=server_id), id=server_id
            )
        )

    def convert_server(self, server_id: str, new_key: str) -> ConvertedServer:
        """Move a server to ``new_key`` and the product of that key (``/im/srv/convert.json``).

        Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        server_id, new_key = validation.server_id(server_id), validation.license_key(new_key, "new_key")
        return self._caller.register_secret(
            self._caller.change(
                IMUNIFY_SERVER_CONVERT,
                _ConvertedRow,
                lambda row: row.server(server_id, new_key),
                id=server_id,
                key=new_key,
            )
        )


class _KeyRow(msgspec.Struct):
    key: object = None
    code: object = None
    limit: object = None
    servers: object = None
    note: object = None
    type: object = None

    def key_of_row(self, asked_for: str = "") -> ImunifyKey:
        return ImunifyKey(
            key=identity(self.key, "key", asked_for),
            code=text(self.code),
            limit=limit(self.limit),
            servers=limit(self.servers),
            note=text(self.note),
            type=text(self.type),
        )


class _ConvertedRow(msgspec.Struct):
    id: object = None
    key: object = None

    def server(self, server_id: str, key: str) -> ConvertedServer:
        """Return the server; ``server_id`` and ``key`` are those of the call, used where CLN does not repeat them."""
        return ConvertedServer(text(self.id) or server_id, text(self.key) or key)


class _ServerRow(msgspec.Struct, gc=False):
    id: object = None
    ip: object = None
    last_checkin: object = UNSET


def _servers(rows: list[_ServerRow]) -> list[ImunifyServer]:
    servers = map(
        ImunifyServer,
        identities([row.id for row in rows], "id"),
        texts([row.ip for row in rows]),
        checkins([row.last_checkin for row in rows], "last_checkin"),
    )
    return unique_servers(list(servers))
