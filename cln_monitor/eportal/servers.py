"""The servers of an ePortal, and the live patch that each of them has loaded (ePortal API documentation, "Servers")."""

from __future__ import annotations

import re
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET

from cln_monitor.cln import LastCheckin
from cln_monitor.cln.fields import checkins, count, date_if_readable, host_name, text, texts
from cln_monitor.text_cleaning import clean_text

_KERNEL_ID = r"[0-9a-f]{40}"


class EportalServer(msgspec.Struct, frozen=True):
    """A server; times are Unix seconds. A text that the ePortal does not report is empty, other values are None.

    ``last_checkin`` is UNSET if it is reported for no server. ``patched_at`` is when the server last loaded a patch
    (``updated``). ``kernel_id`` is the SHA-1 of the running kernel's ``/proc/version``, 40 hex digits, or empty if it
    is missing or has another form; ``patch_level`` is that of the loaded patch, 0 for none, and None if unknown.
    ``effective_kernel`` (``euname``) is the kernel whose fixes the server has, ``running_kernel`` (``release``) the one
    it booted. ``is_updated`` is what the ePortal says, None if it does not say it.
    """

    server_id: str
    key: str
    feed: str
    ip: str
    hostname: str
    last_checkin: LastCheckin = UNSET
    registered_at: float | None = None
    patched_at: float | None = None
    effective_kernel: str = ""
    running_kernel: str = ""
    kernel_id: str = ""
    patch_level: int | None = None
    patch_type: str = ""
    kcare_version: str = ""
    distro: str = ""
    tags: tuple[str, ...] = ()
    is_updated: bool | None = None


_Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\S")] | int


class ServerRow(msgspec.Struct):
    """A row of ``/servers`` as sent: only its id and its check-in must be readable."""

    id: _Id
    key: Any = None
    feed: Any = None
    ip: Any = None
    hostname: Any = None
    checkin: Any = UNSET
    registered: Any = None
    updated: Any = None
    euname: Any = None
    release: Any = None
    kernel_id: Any = None
    patch_level: Any = None
    patch_type: Any = None
    kcare_version: Any = None
    distro: Any = None
    distro_version: Any = None
    tags: Any = None


class ServersPage(msgspec.Struct):
    """A response of ``/servers``: the number of all servers that match, and some of them."""

    count: int
    result: list[ServerRow]


class ServersCount(msgspec.Struct):
    """A response of ``/servers`` with ``only_count``; it is not documented whether that has a ``result``."""

    count: int


PAGE = msgspec.json.Decoder(ServersPage)
COUNT = msgspec.json.Decoder(ServersCount)


def servers_of(rows: list[ServerRow]) -> list[EportalServer]:
    """Return the servers of ``rows``, of one or several pages. Dates have no zone and are taken as UTC.

    Raises BadAnswerError for a check-in that is not a date.
    """
    ids = [clean_text(row.id) for row in rows]
    times = checkins([row.checkin for row in rows], "checkin", "the ePortal")
    keys, feeds = texts([row.key for row in rows]), texts([row.feed for row in rows])
    return list(map(_server, rows, ids, keys, feeds, times))


def _server(row: ServerRow, server_id: str, key: str, feed: str, last_checkin: LastCheckin) -> EportalServer:
    kernel_id = text(row.kernel_id).lower()
    return EportalServer(
        server_id,
        key,
        feed,
        text(row.ip),
        host_name(row.hostname),
        last_checkin,
        date_if_readable(row.registered),
        date_if_readable(row.updated),
        text(row.euname),
        text(row.release),
        kernel_id if re.fullmatch(_KERNEL_ID, kernel_id) else "",
        count(row.patch_level),
        text(row.patch_type),
        text(row.kcare_version),
        f"{text(row.distro)} {text(row.distro_version)}".strip(),
        tuple(filter(None, (tag.strip() for tag in text(row.tags).split(";")))),
    )
