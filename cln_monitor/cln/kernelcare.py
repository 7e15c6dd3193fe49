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
    done,
    flag,
    identities,
    identity,
    limit,
    text,
    texts,
)
from .rows import RemovedRow, RemovedServer, unique, unique_servers


class KernelCareKey(msgspec.Struct, frozen=True):
    """A KernelCare key. ``created``: Unix seconds, None when CLN does not tell, or nothing that can be read."""

    key: str
    enabled: bool | None
    limit: Limit
    note: str
    created: float | None


# Nothing in a server refers back to it, so the collector of garbage need not look at a hundred thousand of them.
class KernelCareServer(msgspec.Struct, frozen=True, gc=False):
    """A server of a KernelCare key. ``created``: Unix seconds, None when CLN does not tell."""

    server_id: str
    ip: str
    created: float | None
    last_checkin: LastCheckin = UNSET


class KernelCareReads:
    """The calls below ``/kcare`` that only read."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def keys(self) -> list[KernelCareKey]:
        """Return all KernelCare keys of the account, a key once (``/kcare/key/list.json``). Raises ClnError."""
        keys = self._caller.get_rows(KERNELCARE_KEYS, _KeyRow, _KeyRow.key_of_row)
        return self._caller.register_secrets(unique(keys, lambda key: key.key))

    def servers(self, key: str | KernelCareKey) -> list[KernelCareServer]:
        """Return the servers of ``key``, each once (``/kcare/key/servers.json``).

        Raises InvalidArgumentError and ClnError.
        """
        key = validation.key_to_read(key)
        return self._caller.get_list(KERNELCARE_SERVERS, _ServerRow, _servers, key=key)


class KernelCare(KernelCareReads):
    """The calls below ``/kcare``. Each change is sent once: it happened, or the method raises."""

    def create_key(self, limit: int, note: str | None = None) -> str:
        """Make a key for up to ``limit`` servers, 0 for unlimited, and return it (``/kcare/key/create.json``).

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
        """Delete a key (``/kcare/key/delete.json``). What becomes of its servers is unknown.

        Raises InvalidArgumentError, NotDoneError when the account has no such key, and other ClnErrors.
        """
        self._caller.change(KERNELCARE_KEY_DELETE, object, done, key=validation.license_key(key))

    def set_cidrs(self, key: str, cidrs: Iterable[str]) -> None:
        """Let servers of ``cidrs``, such as ``192.0.2.0/24``, register with a key (``/kcare/key/set_cidr.json``).

        Whether they replace those set before is unknown: the document speaks of setting and of adding. When CLN refuses
        one of several, whether it added the others is unknown too. Raises InvalidArgumentError, RefusedError with the
        words of the document for CLN's code, and other ClnErrors.
        """
        key, joined = validation.license_key(key), validation.cidrs(cidrs)
        self._caller.change(KERNELCARE_SET_CIDR, _CodeRow, _CodeRow.raise_unless_set, key=key, cidr=joined)

    def remove_server(self, server_id: str) -> RemovedServer:
        """Remove a server and return it with its key, as far as CLN tells (``/kcare/srv/remove.json``).

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
            raise BadAnswerError("not an answer of CLN: data without a code")
        if code:
            raise RefusedError(f"CLN did not set the CIDRs: {_REFUSALS.get(code, f'it gives code {code}')}")


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
