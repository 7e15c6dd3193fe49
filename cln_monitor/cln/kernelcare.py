"""KernelCare keys and the servers registered with them (API document, "KernelCare API")."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import UNSET

from . import validation
from .caller import Caller
from .endpoints import (
    KERNELCARE_KEY_CREATE,
    KERNELCARE_KEY_DELETE,
    KERNELCARE_KEYS,
    KERNELCARE_SERVER_REMOVE,
    KERNELCARE_SERVERS,
    KERNELCARE_SET_CIDR,
)
from .errors import BadAnswerError, RefusedError
from .fields import (
    LastCheckin,
    Limit,
    checkins,
    count,
    date_if_readable,
    dates_if_readable,
    flag,
    identities,
    identity,
    limit,
    require_true,
    text,
    texts,
)
from .rows import RemovedRow, RemovedServer, unique, unique_servers


class KernelCareKey(msgspec.Struct, frozen=True):
    """A KernelCare key. ``created``: Unix seconds, None if CLN does not report a valid date."""

    key: str
    enabled: bool | None
    limit: Limit
    note: str
    created: float | None


# A server is never part of a reference cycle, so the garbage collector can skip a hundred thousand of them.
class KernelCareServer(msgspec.Struct, frozen=True, gc=False):
    """A server of a KernelCare key. ``created``: Unix seconds, None if CLN does not report a valid date."""

    server_id: str
    ip: str
    created: float | None
    last_checkin: LastCheckin = UNSET


class KernelCareReads:
    """The read-only calls below ``/kcare``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self) -> list[KernelCareKey]:
        """Return all KernelCare keys of the account, without duplicates (``/kcare/key/list.json``). Raises ClnError."""
        keys = self._caller.get_rows(KERNELCARE_KEYS, _KeyRow, _KeyRow.key_of_row)
        return self._caller.register_secrets(unique(keys, lambda key: key.key))

    def servers(self, key: str | KernelCareKey) -> list[KernelCareServer]:
        """Return the servers of ``key``, without duplicates (``/kcare/key/servers.json``).

        Raises InvalidArgumentError and ClnError.
        """
        key = validation.key_to_read(key)
        return self._caller.get_list(KERNELCARE_SERVERS, _ServerRow, _servers, key=key)


class KernelCare(KernelCareReads):
    """All calls below ``/kcare``. A change is sent once: it is made, or the method raises."""

    def create_key(self, limit: int, note: str | None = None) -> str:
        """Create a key for up to ``limit`` servers, 0 for unlimited, and return it (``/kcare/key/create.json``).

        Raises InvalidArgumentError, NotDoneError and other ClnErrors.
        """
        key = self._caller.change(
            KERNELCARE_KEY_CREATE,
            object,
            lambda data: identity(data.get("key") if isinstance(data, dict) else data, "key"),
            limit=validation.limit(limit),
            note=validation.optional(validation.note, note),
        )
        self._caller.redactor.hide_key(key)
        return key

    def delete_key(self, key: str) -> None:
        """Delete a key (``/kcare/key/delete.json``).

        It is not documented what happens to its servers. Raises InvalidArgumentError, NotDoneError when the account has
        no such key, and other ClnErrors.
        """
        self._caller.change(KERNELCARE_KEY_DELETE, object, require_true, key=validation.license_key(key))

    def set_cidrs(self, key: str, cidrs: Iterable[str]) -> None:
        """Allow servers in ``cidrs``, such as ``192.0.2.0/24``, to register with a key (``/kcare/key/set_cidr.json``).

        It is unknown whether they replace earlier ones, as the document says both "set" and "add"; and if CLN refuses
        one of several, whether it added the others. Raises InvalidArgumentError, RefusedError with the document's text
        for CLN's code, and other ClnErrors.
        """
        key, joined = validation.license_key(key), validation.cidrs(cidrs)
        self._caller.change(KERNELCARE_SET_CIDR, _CodeRow, _CodeRow.raise_unless_set, key=key, cidr=joined)

    def remove_server(self, server_id: str) -> RemovedServer:
        """Remove a server and return it, with its key if CLN reports it (``/kcare/srv/remove.json``).

        Raises InvalidArgumentError, NotDoneError when the account has no such server, and other ClnErrors.
        """
        server_id = validation.server_id(server_id)
        return self._caller.register_secret(
            self._caller.change(
                KERNELCARE_SERVER_REMOVE, RemovedRow, lambda row: row.server(server_id=server_id), server_id=server_id
            )
        )


_REFUSALS = {
    1: "irregular ip address in one of CIDRs (code 1)",
    2: "irregular prefix in one of CIDRs (code 2)",
    3: "internal error (code 3)",
}


class _CodeRow(msgspec.Struct):
    code: object = None

    def raise_unless_set(self) -> None:
        code = count(self.code)
        if code is None:
            raise BadAnswerError("unexpected response from CLN: data without a code")
        if code:
            raise RefusedError(f"CLN did not set the CIDRs: {_REFUSALS.get(code, f'code {code}')}")


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
            limit=limit(self.limit),
            note=text(self.note),
            created=date_if_readable(self.created),
        )


class _ServerRow(msgspec.Struct, gc=False):
    server_id: object = None
    ip: object = None
    created: object = None
    last_checkin: object = UNSET


def _servers(rows: list[_ServerRow]) -> list[KernelCareServer]:
    servers = map(
        KernelCareServer,
        identities([row.server_id for row in rows], "server_id"),
        texts([row.ip for row in rows]),
        dates_if_readable([row.created for row in rows]),
        checkins([row.last_checkin for row in rows], "last_checkin"),
    )
    return unique_servers(list(servers))
