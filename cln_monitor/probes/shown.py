"""Remote text without secrets: a licence key or a password that somebody wrote into a note must not be shown on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from cln_monitor.cln import ReadOnlyClient

S = TypeVar("S", bound=msgspec.Struct)

_ADDRESS = re.compile(r"[0-9A-Fa-f.:]*")
_IDENTITY = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def without_secrets(client: ReadOnlyClient, rows: Iterable[S], *fields: str) -> list[S]:
    """Return ``rows`` with no secret that ``client`` knows in the texts of ``fields``."""
    return [_row_without_secrets(client, row, fields) for row in rows]


def _row_without_secrets(client: ReadOnlyClient, row: S, fields: tuple[str, ...]) -> S:
    changes = {
        field: client.scrub(text) for field in fields if (text := getattr(row, field)) and _is_suspicious(client, text)
    }
    return msgspec.structs.replace(row, **changes) if changes else row


def _is_suspicious(client: ReadOnlyClient, text: str) -> bool:
    """Tell whether to look at ``text`` closely: for addresses and ids, a hundred thousand of them, a glance will do."""
    if _ADDRESS.fullmatch(text):
        return False
    return _IDENTITY.fullmatch(text) is None or client.may_show_secret(text)
