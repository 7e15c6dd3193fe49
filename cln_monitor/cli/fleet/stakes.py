"""What a question names of that which a change is about: keys by their note, servers by address, name and check-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import UNSET

from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.output import say
from cln_monitor.cli.session import Session
from cln_monitor.cln import AuthorizationError, Client, ClnError, RefusedError, clean_text
from cln_monitor.durations import format_age
from cln_monitor.masking import mask_key
from cln_monitor.probes import DefaultList

from .inventory import ELS, Inventory, ListedServer, els_codes, read_keys, read_servers


def stakes_of_key(session: Session, product: str, key: str) -> Callable[[], str]:
    """Return what tells, when somebody is asked, what goes with ``key``: its note, and the number of its servers."""
    return _unless_unreadable(lambda: _of_key(session, product, key), "its note and servers could not be read")


def stakes_of_server(session: Session, product: str, server_id: str, new_key: str = "") -> Callable[[], str]:
    """Return what tells, when somebody is asked, which server it is, by address, host name, key and last check-in.

    It reads the keys of the product and their servers, and tells the note of ``new_key`` where one is given.
    """
    return _unless_unreadable(lambda: _of_server(session, product, server_id, new_key), "it could not be read")


def stakes_of_members(session: Session, group: str, ids: Sequence[str]) -> Callable[[], str]:
    """Return what tells, when somebody is asked, which servers of ``group`` those of ``ids`` are."""

    def stakes() -> str:
        members = {each.server_id: each for each in session.client.groups.servers(group)}
        return ", ".join(
            f"{each}: {_joined(found.ip, found.hostname)}" if (found := members.get(each)) else f"{each}: not in it"
            for each in ids
        )

    return _unless_unreadable(stakes, "its servers could not be read")


def changes_of_key(limit: int | None, note: str | None) -> Callable[[], str] | None:
    """Return what tells the new limit and note of a key; None where it gets neither."""
    parts = [
        f"new limit {limit or 'unlimited'}" if limit is not None else "",
        f"new note {note!r}" if note else "no note any more" if note is not None else "",
    ]
    return (lambda: ", ".join(filter(None, parts))) if any(parts) else None


def _unless_unreadable(stakes: Callable[[], str], otherwise: str) -> Callable[[], str]:
    def told() -> str:
        try:
            return stakes()
        except ClnError as error:
            if isinstance(error, AuthorizationError):
                raise  # and so would the change be
            return otherwise

    return told


def _of_key(session: Session, product: str, key: str) -> str:
    client: Client = session.client
    codes = els_codes(session) if product == ELS else [""]
    for code in codes:
        try:
            listed = read_keys(client, product, code)
        except RefusedError:
            if product == ELS and isinstance(codes, DefaultList):
                continue
            raise
        for each in listed:
            if each.key == key:
                servers = read_servers(client, code if product == ELS else each)
                number = sum(server.key == key for server in servers)
                note = f"note {each.note!r}, " if each.note else ""
                return f"{note}{number} server{'s' * (number != 1)}"
    return "no key of the account"


def _of_server(session: Session, product: str, server_id: str, new_key: str) -> str:
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering)
        inventory.read_keys([product])
        inventory.read_servers([product])
    found = [_described(session, each) for each in inventory.servers if each.server_id == server_id]
    if not found and inventory.errors:
        raise inventory.errors[0]
    if len(found) > 1:
        say(f"note: {len(found)} servers have this id")
    notes = [each.note for each in inventory.keys if each.key == new_key and each.note]
    new = [f"new key: note {note!r}" for note in notes]
    return "; ".join([*(found or ["no server of the account"]), *new])


def _described(session: Session, server: ListedServer) -> str:
    note = f" (note {server.note!r})" if server.note else ""
    told = server.last_checkin
    if told is UNSET:
        seen = ""
    elif told is None:
        seen = "never checked in"
    else:
        seen = f"last check-in {format_age(max(0.0, session.cln_now - told))} ago"
    return _joined(server.ip, server.hostname, f"key {mask_key(server.key)}{note}" if server.key else "", seen)


def _joined(*parts: str) -> str:
    return ", ".join(clean_text(each) for each in parts if each) or "no address"
