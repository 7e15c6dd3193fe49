"""Keys as people give them: in full, or by the mask that metrics and alerts show."""

from __future__ import annotations

import re

from cln_monitor.cli.concurrent import Gathering
from cln_monitor.cli.session import Session, UsageError
from cln_monitor.cln import ClnError
from cln_monitor.masking import mask_key

from .inventory import ELS, IMUNIFY, KERNELCARE, PRODUCT_NAMES, Inventory, ListedKey, read_servers

_LISTS = {product: f"clntool {product} keys list" for product in (KERNELCARE, IMUNIFY, ELS)}
_MASK_IN_ANY_CASE = re.compile(r".{0,4}-[0-9a-fA-F]{8}", re.DOTALL)
_DIGITS = 8


def key_in_full(session: Session, product: str, given: str) -> str:
    """Return the key of ``product`` that ``given`` is, or is the mask of; a key in full is not looked up.

    Raises UsageError where the mask is that of no key, or of several, and ClnError.
    """
    if _MASK_IN_ANY_CASE.fullmatch(given) is None:
        return given
    with Gathering(session) as gathering:
        inventory = Inventory(session, gathering)
        inventory.read_keys([product])
        return _only_one(session, inventory, given, f"no {PRODUCT_NAMES[product]} key", _LISTS[product]).key


def keys_named(session: Session, inventory: Inventory, given: str) -> list[ListedKey]:
    """Return the key that ``given`` names among all keys of ``inventory``, once for each product that has it.

    Raises UsageError where there is none, or its mask is that of several, and ClnError.
    """
    first = _only_one(session, inventory, given, "no key", "clntool keys list")
    return [each for each in inventory.keys if each.key == first.key]


def _only_one(session: Session, inventory: Inventory, given: str, none: str, lists: str) -> ListedKey:
    found = _found(inventory, given)
    if given in found:
        return found[given]
    if not found and inventory.errors:
        raise inventory.errors[0]
    if not found:
        if other := next(iter(_found(inventory.elsewhere(), given).values()), None):
            asked = " or ".join(PRODUCT_NAMES[each] for each in inventory.products)
            raise UsageError(f"{mask_key(other.key)} is a key of {PRODUCT_NAMES[other.product]}, not of {asked}")
        raise UsageError(f"the account has {none} of this name or mask; {lists} shows the keys there are")
    if len(found) > 1:
        notes = ", ".join(_described(session, each) for each in found.values())
        raise UsageError(f"{given} is the mask of {len(found)} keys: {notes}; give one in full, as {lists} shows it")
    return next(iter(found.values()))


def _found(inventory: Inventory, given: str) -> dict[str, ListedKey]:
    """Return the keys of ``inventory`` that ``given`` names, in full or by a mask with hex digits in either case."""
    mask = given[:-_DIGITS] + given[-_DIGITS:].lower() if _MASK_IN_ANY_CASE.fullmatch(given) else given
    return {each.key: each for name in (given, mask) for each in inventory.find(name)}


def _described(session: Session, key: ListedKey) -> str:
    """Return what tells a key from others of its mask: its note, else its product and the number of its servers."""
    if key.note:
        return repr(key.note)
    name = f"a key of {PRODUCT_NAMES[key.product]} without a note"
    try:
        servers = read_servers(session.client, key.code if key.product == ELS else key)
    except ClnError:
        return name
    number = sum(server.key == key.key for server in servers)
    return f"{name}, with {number} server{'s' * (number != 1)}"
