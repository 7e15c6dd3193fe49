"""The texts in questions about what a change affects: keys by note, servers by address, name and check-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import UNSET

from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cli.output import eprint
from cln_monitor.cln import AuthorizationError, Client, ClnError, RefusedError, clean_text
from cln_monitor.durations import format_age
from cln_monitor.masking import mask_key

from .inventory import Inventory, ListedServer, read_keys, read_servers, unit_of
from .product_codes import BY_CODE, are_default, codes_of

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session


def stakes_of_key(session: Session, product: str, key: str) -> Callable[[], str]:
    """Return a function that reads the note of ``key`` and its number of servers, as a text for the question."""
    return _unless_unreadable(lambda: _describe_key(session, product, key), "its note and servers could not be read")


def stakes_of_server(session: Session, product: str, server_id: str, new_key: str = "") -> Callable[[], str]:
    """Return a function that reads a server's address, host name, key and last check-in, as a text for the question.

    It reads the keys of the product and their servers. The text has the note of ``new_key``, if one is given.
    """
    return _unless_unreadable(
        lambda: _describe_server(session, product, server_id, new_key), "the server could not be read"
    )


def stakes_of_members(session: Session, group: str, ids: Sequence[str]) -> Callable[[], str]:
    """Return a function that reads the address and host name of each of ``ids`` in ``group``, as a text."""

    def stakes() -> str:
        members = {member.server_id: member for member in session.client.groups.servers(group)}
        return ", ".join(
            f"{id_}: {_joined(member.ip, member.hostname)}"
            if (member := members.get(id_))
            else f"{id_}: not in the group"
            for id_ in ids
        )

    return _unless_unreadable(stakes, "its servers could not be read")


def changes_of_key(limit: int | None, note: str | None) -> Callable[[], str] | None:
    """Return a function that returns a text about the new limit and note of a key; None if neither changes."""
    parts = [
        f"new limit {limit or 'unlimited'}" if limit is not None else "",
        f"new note {note!r}" if note else "note removed" if note is not None else "",
    ]
    return (lambda: ", ".join(filter(None, parts))) if any(parts) else None


def _unless_unreadable(stakes: Callable[[], str], otherwise: str) -> Callable[[], str]:
    def text() -> str:
        try:
            return stakes()
        except ClnError as error:
            if isinstance(error, AuthorizationError):
                raise  # the change would be refused as well
            return otherwise

    return text


def _describe_key(session: Session, product: str, key: str) -> str:
    client: Client = session.client
    codes = codes_of(session, product) if product in BY_CODE else [""]
    for code in codes:
        try:
            listed = read_keys(client, product, code)
        except RefusedError:
            if are_default(codes):
                continue
            raise
        for listed_key in listed:
            if listed_key.key == key:
                servers = read_servers(client, unit_of(listed_key))
                number = sum(server.key == key for server in servers)
                note = f"note {listed_key.note!r}, " if listed_key.note else ""
                return f"{note}{number} server{'s' * (number != 1)}"
    return "not in the account"


def _describe_server(session: Session, product: str, server_id: str, new_key: str) -> str:
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader)
        inventory.read_keys([product])
        inventory.read_servers([product])
    texts = [_described(session, server) for server in inventory.servers if server.server_id == server_id]
    if not texts and inventory.errors:
        raise inventory.errors[0]
    if len(texts) > 1:
        eprint(f"note: {len(texts)} servers have this id")
    notes = [key.note for key in inventory.keys if key.key == new_key and key.note]
    new = [f"new key: note {note!r}" for note in notes]
    return "; ".join([*(texts or ["not in the account"]), *new])


def _described(session: Session, server: ListedServer) -> str:
    note = f" (note {server.note!r})" if server.note else ""
    checkin = server.last_checkin
    if checkin is UNSET:
        text = ""
    elif checkin is None:
        text = "never checked in"
    else:
        text = f"last check-in {format_age(max(0.0, session.cln_now - checkin))} ago"
    return _joined(server.ip, server.hostname, f"key {mask_key(server.key)}{note}" if server.key else "", text)


def _joined(*parts: str) -> str:
    return ", ".join(clean_text(part) for part in parts if part) or "no address"
