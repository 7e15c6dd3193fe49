"""Arguments, of whatever type they come, checked before anything is sent.

No text here shows a value: somebody may have put a key in its place.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

from cln_monitor.masking import masked
from cln_monitor.text_cleaning import is_clean

T = TypeVar("T")

MOST_SERVERS = 1_000_000
"""The highest limit that a key is given; a higher one is a slip."""

# Texts, which re compiles when they are first used: most programs use few of them, and a check starts often.
_MONITORING_KEY = r"[A-Za-z0-9]{16,32}"
_KEY = r"(?:(?![/?#&%])[!-~]){4,128}"
_SERVER_ID = r"(?:(?![/?#&%,])[!-~]){1,128}"
_PRODUCT_CODE = r"(?=.*\S)[^/?#&%,]{1,32}"
_AWP_PRODUCT = r"[A-Z0-9_]{1,32}"
_URL = r"https?://(?![?#/])[!-~](?:(?![?#])[!-~])*"
_MONTH = r"20[0-9]{2}-(?:0[1-9]|1[0-2])"
_PREFIX = r"[0-9A-Fa-f.:]+/[0-9]{1,3}"


class InvalidArgumentError(ValueError):
    """An argument that CLN could make nothing of, or something else than was meant. Nothing was sent.

    ``argument`` is its name; the text names it, and says what is wrong with it and what would be right.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument.partition("[")[0]


def optional(check: Callable[[T], str], value: T | None) -> str | None:
    """Return what ``check`` makes of ``value``, or None, which is not sent, for None."""
    return None if value is None else check(value)


def require_text(name: str, value: object) -> str:
    """Return ``value``, any text but the empty one: what CLN's own list gave goes back as it is."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(name, "is not a text, or an empty one; it takes a text")
    return value


def single_line(name: str, value: object, longest: int, *, shortest: int = 1) -> str:
    """Return ``value``, one line of ``shortest``, 0 or 1, to ``longest`` characters."""
    right = f"it takes {shortest} to {longest} characters, none of them a control character"
    if not isinstance(value, str):
        raise InvalidArgumentError(name, f"is not a text; {right}")
    if not is_clean(value):
        raise InvalidArgumentError(name, f"has control characters in it; {right}")
    if shortest and not value.strip():
        raise InvalidArgumentError(name, f"is empty; {right}")
    if len(value) > longest:
        raise InvalidArgumentError(name, f"has {len(value)} characters; {right}")
    return value


def note(value: object) -> str:
    """Return the note of a new key: up to 100 characters."""
    return single_line("note", value, 100)


def new_note(value: object) -> str:
    """Return the note that a key is to have from now on; the empty one takes away the one it has."""
    return single_line("note", value, 100, shortest=0)


def whole_number(name: str, value: object, least: int, most: int) -> str:
    """Return the digits of a whole number; True and False are none."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidArgumentError(name, f"is not a whole number within bounds; it takes {least} to {most}")
    return str(value)


def limit(value: object) -> str:
    """Return the most servers of a key, 0 for unlimited."""
    return whole_number("limit", value, 0, MOST_SERVERS)


def key_changes(limit_: object, note_: object) -> tuple[str | None, str | None]:
    """Return the new limit and the new note of a key. Raises InvalidArgumentError when there is neither."""
    if limit_ is None and note_ is None:
        raise InvalidArgumentError("limit", "is not given, and neither is note; it takes at least one of them")
    return optional(limit, limit_), optional(new_note, note_)


def boolean(name: str, value: object) -> bool:
    """Return True or False; what merely counts as one of them, such as the text ``false``, is neither."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(name, "is neither True nor False; it takes one of them")
    return value


def bool_text(name: str, value: object) -> str:
    """Return ``true`` or ``false``."""
    return "true" if boolean(name, value) else "false"


def license_key(value: object, name: str = "key") -> str:
    """Return a licence key that somebody wants changed, in full and not its mask."""
    if isinstance(value, str) and masked(value) == value:
        raise InvalidArgumentError(name, "this is the mask of a key; CLN needs the key in full")
    right = "a licence key has 4 to 128 printable ASCII characters, no blank and none of / ? # & %"
    return _spelled(name, value, _KEY, right)


def key_to_read(value: object) -> str:
    """Return the licence key to ask about: a text is checked, and one that CLN itself listed goes back as it is."""
    listed = getattr(value, "key", None)
    return require_text("key", listed) if listed is not None else license_key(value)


def is_monitoring_key(key: str) -> bool:
    """Tell whether ``key`` has the form of a monitoring key: 16 to 32 letters and digits."""
    return re.fullmatch(_MONITORING_KEY, key) is not None


def monitoring_key(value: object) -> str:
    """Return a key to register for monitoring."""
    return _spelled("key", value, _MONITORING_KEY, "a monitoring key has 16 to 32 letters and digits")


def server_id(value: object, name: str = "server_id") -> str:
    """Return the id of a server."""
    right = "it takes 1 to 128 printable ASCII characters, no blank and none of , / ? # & %"
    return _spelled(name, value, _SERVER_ID, right)


def license_type(name: str, value: object) -> str:
    """Return the number of a type of IP license: the document does not name all there are."""
    return whole_number(name, value, 1, 99_999)


def group_name(value: object) -> str:
    """Return the name of a group that is to be changed."""
    return single_line("name", value, 100)


def description(value: object) -> str:
    """Return the description of a group."""
    return single_line("description", value, 255)


def product_code(value: object) -> str:
    """Return the code of a product exactly as written: new ones appear, and those of the document are odd."""
    fit = value if isinstance(value, str) and is_clean(value) else None
    return _spelled("code", fit, _PRODUCT_CODE, "it takes 1 to 32 printable characters, none of them , / ? # & %")


def login(value: object) -> str:
    """Return a login; a bar would end it within the token."""
    if "|" in single_line("login", value, 255):
        raise InvalidArgumentError("login", "has a | in it; it takes the login of the account")
    return str(value)


def url(name: str, value: object) -> str:
    """Return the URL of a place to ask."""
    return _spelled(name, value, _URL, "it takes http:// or https:// and a host, with no blank and none of ? #")


def seconds(name: str, value: object) -> float:
    """Return a time in seconds, more than none and a day at most."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 86_400:
        raise InvalidArgumentError(name, "is no time; it takes seconds, more than 0 and at most 86400")
    return float(value)


def month(value: object) -> str:
    """Return a month, ``yyyy-MM``."""
    return _spelled("month", value, _MONTH, "it takes yyyy-MM, from 2000-01 to 2099-12")


def awp_products(values: object) -> str:
    """Return the codes of AccelerateWP products, joined by commas."""
    right = "it takes codes such as AWP_PREMIUM: 1 to 32 of A-Z, 0-9 and _"
    return ",".join(_each("products", values, lambda name, value: _spelled(name, value, _AWP_PRODUCT, right)))


def server_ids(values: object) -> str:
    """Return the ids of servers, joined by commas."""
    return ",".join(_each("server_ids", values, lambda name, value: server_id(value, name)))


def address(value: object, name: str = "ip") -> str:
    """Return an IP address in its canonical spelling."""
    try:
        if isinstance(value, str) and "%" not in value:
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    raise InvalidArgumentError(name, "is not an IP address; it takes one such as 192.0.2.1 or 2001:db8::1")


def cidrs(values: object) -> str:
    """Return networks with their prefixes, in their canonical spelling, joined by commas."""
    return ",".join(_each("cidrs", values, _cidr))


def _cidr(name: str, value: object) -> str:
    right = "it takes a network with its prefix, such as 192.0.2.0/24 or 2001:db8::/32"
    if not isinstance(value, str) or re.fullmatch(_PREFIX, value) is None:
        raise InvalidArgumentError(name, f"is not an address, a slash and the digits of a prefix; {right}")
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InvalidArgumentError(name, f"is not an IP network; {right}") from None
    if ipaddress.ip_interface(value).ip != network.network_address:
        raise InvalidArgumentError(name, f"has bits set beyond its prefix; is {network} meant?")
    return str(network)


def addresses(values: object) -> list[str]:
    """Return IP addresses in their canonical spelling, those of licences that CLN itself listed as they are."""
    return _listed("addresses", values, _address_to_read)


def _address_to_read(name: str, value: object) -> str:
    listed = getattr(value, "ip", None)
    return require_text(name, listed) if listed is not None else address(value, name)


def _each(name: str, values: object, check: Callable[[str, object], str]) -> list[str]:
    checked = _listed(name, values, check)
    if not checked:
        raise InvalidArgumentError(name, "is empty; it takes at least one")
    return checked


def _listed(name: str, values: object, check: Callable[[str, object], str]) -> list[str]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidArgumentError(name, "is not a list; it takes a list of texts")
    return [check(f"{name}[{place}]", value) for place, value in enumerate(values)]


def _spelled(name: str, value: object, form: str, right: str) -> str:
    if not isinstance(value, str) or re.fullmatch(form, value) is None:
        raise InvalidArgumentError(name, f"is not spelled as CLN takes it; {right}")
    return value
