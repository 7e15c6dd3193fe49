"""Keys as people give them: in full, or by the mask that metrics and alerts show."""

from __future__ import annotations

from collections.abc import Callable

from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.session import Session, UsageError
from cln_monitor.cln import AuthorizationError, ClnError, RefusedError
from cln_monitor.masking import masked
from cln_monitor.probes import DefaultList

from .inventory import ELS, IMUNIFY, KERNELCARE, PRODUCT_NAMES, Inventory, ListedKey, els_codes, read_keys, read_servers

_LISTS = {product: f"clntool {product} keys list" for product in (KERNELCARE, IMUNIFY, ELS)}


def key_in_full(session: Session, product: str, given: str) -> str:
    """Return the key of ``product`` that ``given`` is, or is the mask of; a key in full is not looked up.

    Raises UsageError where the mask is that of no key, or of several, and ClnError.
    """
    if masked(given) != given:
        return given
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering)
        inventory.read_keys([product])
    return _only_one(inventory, given, f"no {PRODUCT_NAMES[product]} key", _LISTS[product]).key


def keys_named(inventory: Inventory, given: str) -> list[ListedKey]:
    """Return the key that ``given`` names among all keys of ``inventory``, once for each product that has it.

    Raises UsageError where there is none, or its mask is that of several, and ClnError.
    """
    first = _only_one(inventory, given, "no key", "clntool keys list")
    return [each for each in inventory.keys if each.key == first.key]


def _only_one(inventory: Inventory, given: str, none: str, lists: str) -> ListedKey:
    found = {each.key: each for each in inventory.find(given)}
    if given in found:
        return found[given]
    if not found and inventory.errors:
        raise inventory.errors[0]
    if not found:
        raise UsageError(f"the account has {none} of this name or mask; {lists} shows the keys there are")
    if len(found) > 1:
        notes = ", ".join(f"{each.note!r}" if each.note else "one without a note" for each in found.values())
        raise UsageError(f"{given} is the mask of {len(found)} keys: {notes}; give one in full, as {lists} shows it")
    return next(iter(found.values()))


def stakes_of_key(session: Session, product: str, key: str) -> Callable[[], str]:
    """Return what tells, when somebody is asked, what goes with ``key``: its note, and the number of its servers."""

    def stakes() -> str:
        try:
            return _stakes(session, product, key)
        except ClnError as error:
            if isinstance(error, AuthorizationError):
                raise  # and so would the change be
            return "its note and servers could not be read"

    return stakes


def _stakes(session: Session, product: str, key: str) -> str:
    client = session.client
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
