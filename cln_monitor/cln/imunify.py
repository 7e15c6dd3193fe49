"""Imunify keys and the servers registered with them (API document, "Imunify Product family API")."""

from __future__ import annotations

import msgspec

from . import arguments
from .caller import Caller
from .endpoints import IMUNIFY_KEYS, IMUNIFY_SERVERS
from .fields import count, date, identity, text
from .rows import unique, unique_servers


class ImunifyKey(msgspec.Struct, frozen=True):
    """An Imunify key. ``code``: its product; ``limit``: most servers, 0 for unlimited; ``servers``: the number in use.

    ``limit`` and ``servers`` are None when CLN tells no number.
    """

    key: str
    code: str
    limit: int | None
    servers: int | None


class ImunifyServer(msgspec.Struct, frozen=True):
    """A server of an Imunify key. ``last_checkin``: Unix seconds, None for never."""

    server_id: str
    ip: str
    last_checkin: float | None


class ImunifyReads:
    """The calls below ``/im`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self) -> list[ImunifyKey]:
        """Return all Imunify keys of the account, a key once (``/im/key/list.json``). Raises ClnError."""
        keys = unique(self._caller.read_rows(IMUNIFY_KEYS, _KeyRow, _KeyRow.key_of_row), lambda key: key.key)
        for key in keys:
            self._caller.redactor.hide_key(key.key)
        return keys

    def servers(self, key: str) -> list[ImunifyServer]:
        """Return the servers of ``key``, each once (``/im/srv/list.json``). Raises BadArgument and ClnError."""
        key = arguments.given("key", key)
        return unique_servers(self._caller.read_rows(IMUNIFY_SERVERS, _ServerRow, _ServerRow.server, key=key))


class _KeyRow(msgspec.Struct):
    key: object = None
    code: object = None
    limit: object = None
    servers: object = None

    def key_of_row(self) -> ImunifyKey:
        return ImunifyKey(
            key=identity(self.key, "key"),
            code=text(self.code),
            limit=count(self.limit),
            servers=count(self.servers),
        )


class _ServerRow(msgspec.Struct):
    id: object = None
    ip: object = None
    last_checkin: object = None

    def server(self) -> ImunifyServer:
        return ImunifyServer(
            server_id=identity(self.id, "id"),
            ip=text(self.ip),
            last_checkin=date(self.last_checkin, "last_checkin"),
        )
