"""Keys as arguments: in full, or by the mask that metrics and alerts show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cli.usage import UsageError
from cln_monitor.cln import ClnError
from cln_monitor.masking import mask_key

from .inventory import KEY_PRODUCTS, PRODUCT_NAMES, Inventory, ListedKey, read_servers, unit_of

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

_LISTS = {product: f"clntool {product} keys list" for product in KEY_PRODUCTS}
_MASK_IN_ANY_CASE = re.compile(r".{0,4}-[0-9a-fA-F]{8}", re.DOTALL)
_DIGITS = 8


def resolve_key(session: Session, product: str, argument: str) -> str:
    """Return the key in full of ``product`` for ``argument``, a key or its mask; a key in full is not looked up.

    Raises UsageError if the mask matches no key or several keys, and ClnError.
    """
    if _MASK_IN_ANY_CASE.fullmatch(argument) is None:
        return argument
    with ConcurrentReader(session) as reader:
        inventory = Inventory(session, reader)
        inventory.read_keys([product])
        return _only_one(session, inventory, argument, f"no {PRODUCT_NAMES[product]} key", _LISTS[product]).key


def find_keys(session: Session, inventory: Inventory, argument: str) -> list[ListedKey]:
    """Return the key of ``inventory`` for ``argument``, a key or its mask, once for each product that has the key.

    Raises UsageError if ``argument`` matches no key or several keys, and ClnError.
    """
    first = _only_one(session, inventory, argument, "no key", "clntool keys list")
    return [key for key in inventory.keys if key.key == first.key]


def _only_one(session: Session, inventory: Inventory, argument: str, none: str, command: str) -> ListedKey:
    found = _matches(inventory, argument)
    if argument in found:
        return found[argument]
    if not found and inventory.errors:
        raise inventory.errors[0]
    if not found:
        if other := next(iter(_matches(inventory.other_products(), argument).values()), None):
            expected = " or ".join(PRODUCT_NAMES[product] for product in inventory.products)
            raise UsageError(f"{mask_key(other.key)} is a key of {PRODUCT_NAMES[other.product]}, not of {expected}")
        raise UsageError(f"the account has {none} with this name or mask; use {command} to show its keys")
    if len(found) > 1:
        notes = ", ".join(_described(session, key) for key in found.values())
        raise UsageError(f"{argument} is the mask of {len(found)} keys: {notes}; use a key in full, see {command}")
    return next(iter(found.values()))


def _matches(inventory: Inventory, argument: str) -> dict[str, ListedKey]:
    """Return the keys of ``inventory`` that match ``argument``: in full, or by mask with hex digits in either case."""
    mask = argument[:-_DIGITS] + argument[-_DIGITS:].lower() if _MASK_IN_ANY_CASE.fullmatch(argument) else argument
    return {key.key: key for name in (argument, mask) for key in inventory.find(name)}


def _described(session: Session, key: ListedKey) -> str:
    """Return a text that distinguishes keys with the same mask: the note, or the product and the number of servers."""
    if key.note:
        return repr(key.note)
    name = f"a key of {PRODUCT_NAMES[key.product]} without a note"
    try:
        servers = read_servers(session.client, unit_of(key))
    except ClnError:
        return name
    number = sum(server.key == key.key for server in servers)
    return f"{name}, with {number} server{'s' * (number != 1)}"
