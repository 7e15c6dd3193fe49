"""KernelCare keys and the servers registered with them (API document, "KernelCare API")."""

from __future__ import annotations

import msgspec

from . import arguments
from .caller import Caller
from .endpoints import KERNELCARE_KEYS, KERNELCARE_SERVERS
from .fields import count, date, date_if_readable, flag, identity, text
from .rows import unique, unique_servers


class KernelCareKey(msgspec.Struct, frozen=True):
    """A KernelCare key. ``limit``: most servers, 0 for unlimited; ``created``: Unix seconds.

    Both are None when CLN does not tell, or nothing that can be read.
    """

    key: str
    enabled: bool | None
    limit: int | None
    note: str
    created: float | None


class KernelCareServer(msgspec.Struct, frozen=True):
    """A server of a KernelCare key. ``created``, ``last_checkin``: Unix seconds; ``last_checkin`` None for never."""

    server_id: str
    ip: str
    created: float | None
    last_checkin: float | None


class KernelCareReads:
    """The calls below ``/kcare`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self) -> list[KernelCareKey]:
        """Return all KernelCare keys of the account, a key once (``/kcare/key/list.json``). Raises ClnError."""
        keys = unique(self._caller.read_rows(KERNELCARE_KEYS, _KeyRow, _KeyRow.key_of_row), lambda key: key.key)
        for key in keys:
            self._caller.redactor.hide_key(key.key)
        return keys

    def servers(self, key: str) -> list[KernelCareServer]:
        """Return the servers of ``key``, each once (``/kcare/key/servers.json``). Raises BadArgument and ClnError."""
        key = arguments.given("key", key)
        return unique_servers(self._caller.read_rows(KERNELCARE_SERVERS, _ServerRow, _ServerRow.server, key=key))


class _KeyRow(msgspec.Struct):
    key: object = None
    enabled: object = None
    created: object = None
    limit: object = None
    note: object = None

    def key_of_row(self) -> KernelCareKey:
        return KernelCareKey(
            key=identity(self.key, "key"),
            enabled=flag(self.enabled),
            limit=count(self.limit),
            note=text(self.note),
            created=date_if_readable(self.created),
        )


class _ServerRow(msgspec.Struct):
    server_id: object = None
    ip: object = None
    created: object = None
    last_checkin: object = None

    def server(self) -> KernelCareServer:
        return KernelCareServer(
            server_id=identity(self.server_id, "server_id"),
            ip=text(self.ip),
            created=date_if_readable(self.created),
            last_checkin=date(self.last_checkin, "last_checkin"),
        )
