"""Remote text without secrets: a licence key or a password that somebody wrote into a note must not be shown on."""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TypeVar

import msgspec

from cln_monitor.cln import Limit, ReadOnlyClient

S = TypeVar("S", bound=msgspec.Struct)

_LONGEST = 64
_ADDRESS = re.compile(r"(?:[0-9A-Fa-f]{0,4}+[.:])*+[0-9A-Fa-f]{0,4}+")  # a longer run of hex digits may be a key
_IDENTITY = re.compile(rf"[A-Za-z0-9_.:-]{{1,{_LONGEST}}}")
_ADDRESSES = re.compile(_ADDRESS.pattern.replace("[.:]", r"[.:\n]"))
_IDENTITIES = re.compile(r"[A-Za-z0-9_.:\n-]*")


def redact_limit(client: ReadOnlyClient, limit: Limit) -> Limit:
    """Return ``limit``, without the secrets that ``client`` knows where it is a text."""
    return client.scrub(limit) if isinstance(limit, str) else limit


def redact_rows(client: ReadOnlyClient, rows: list[S], *fields: str) -> list[S]:
    """Return ``rows`` with no secret that ``client`` knows in the texts of ``fields``; the same list where none is."""
    # Of a hundred thousand rows hardly one is suspicious: the texts of a field are looked at together first.
    if not any(_are_suspicious(client, list(map(attrgetter(field), rows))) for field in fields):
        return rows
    return [_row_without_secrets(client, row, fields) for row in rows]


def _are_suspicious(client: ReadOnlyClient, texts: list[str]) -> bool:
    """Tell whether to look at each of ``texts``, as :func:`_is_suspicious` might be true of it."""
    together = "\n".join(texts)
    if _ADDRESSES.fullmatch(together):
        return False
    are_identities = _IDENTITIES.fullmatch(together) is not None and max(map(len, texts), default=0) <= _LONGEST
    return not are_identities or client.may_show_secret(together)


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
