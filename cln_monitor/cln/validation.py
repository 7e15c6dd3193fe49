"""Validate arguments, of any type, before a request is sent.

No error text contains the value, which may be a misplaced key.
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
"""The highest accepted limit of a key; a higher one is probably a mistake."""

# Strings, which re compiles on first use: most programs use few of them, and a check starts often.
_MONITORING_KEY = r"[A-Za-z0-9]{16,32}"
_KEY = r"(?:(?![/?#&%])[!-~]){4,128}"
_SERVER_ID = r"(?:(?![/?#&%,])[!-~]){1,128}"
_PRODUCT_CODE = r"(?=.*\S)[^/?#&%,]{1,32}"
_AWP_PRODUCT = r"[A-Z0-9_]{1,32}"
_URL = r"https?://(?![?#/])[!-~](?:(?![?#])[!-~])*"
_MONTH = r"20[0-9]{2}-(?:0[1-9]|1[0-2])"
_PREFIX = r"[0-9A-Fa-f.:]+/[0-9]{1,3}"


class InvalidArgumentError(ValueError):
    """An argument is invalid, and no request was sent.

    ``argument`` is its name; the text contains the name, what is wrong, and what is expected.
    """

    def __init__(self, argument: str, problem: str) -> None:
        super().__init__(f"{argument}: {problem}")
        self.argument = argument.partition("[")[0]


def optional(check: Callable[[T], str], value: T | None) -> str | None:
    """Return ``check(value)``, or None, which is not sent, for None."""
    return None if value is None else check(value)


def require_text(name: str, value: object) -> str:
    """Return ``value``, a non-empty string: a value from a list of CLN is sent unchanged."""
    if not isinstance(value, str) or not value:
        raise InvalidArgumentError(name, "expected a non-empty string")
    return value


def single_line(name: str, value: object, longest: int, *, shortest: int = 1) -> str:
    """Return ``value``, one line of ``shortest``, 0 or 1, to ``longest`` characters."""
    expected = f"expected {shortest} to {longest} characters without control characters"
    if not isinstance(value, str):
        raise InvalidArgumentError(name, f"is not a string; {expected}")
    if not is_clean(value):
        raise InvalidArgumentError(name, f"contains control characters; {expected}")
    if shortest and not value.strip():
        raise InvalidArgumentError(name, f"is empty; {expected}")
    if len(value) > longest:
        raise InvalidArgumentError(name, f"has {len(value)} characters; {expected}")
    return value


def note(value: object) -> str:
    """Return the note of a new key, up to 100 characters."""
    return single_line("note", value, 100)


def new_note(value: object) -> str:
    """Return the new note of a key; an empty one removes the note."""
    return single_line("note", value, 100, shortest=0)


def whole_number(name: str, value: object, least: int, most: int) -> str:
    """Return the digits of a whole number; True and False are not accepted."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidArgumentError(name, f"expected a whole number from {least} to {most}")
    return str(value)


def limit(value: object) -> str:
    """Return the maximum number of servers for a key, 0 for unlimited."""
    return whole_number("limit", value, 0, MOST_SERVERS)


def key_changes(limit_: object, note_: object) -> tuple[str | None, str | None]:
    """Return the new limit and the new note of a key. Raises InvalidArgumentError if both are None."""
    if limit_ is None and note_ is None:
        raise InvalidArgumentError("limit", "a limit or a note is required")
    return optional(limit, limit_), optional(new_note, note_)


def boolean(name: str, value: object) -> bool:
    """Return True or False; other truthy or falsy values, such as the string ``false``, are not accepted."""
    if not isinstance(value, bool):
        raise InvalidArgumentError(name, "expected True or False")
    return value


def bool_text(name: str, value: object) -> str:
    """Return ``true`` or ``false``."""
    return "true" if boolean(name, value) else "false"


def license_key(value: object, name: str = "key") -> str:
    """Return a license key to change, which must be the full key and not its mask."""
    if isinstance(value, str) and masked(value) == value:
        raise InvalidArgumentError(name, "this is a masked key; the full key is required")
    expected = "a license key has 4 to 128 printable ASCII characters, except spaces and / ? # & %"
    return _matching(name, value, _KEY, expected)


def key_to_read(value: object) -> str:
    """Return the license key to read: a string is checked, a key from a list of CLN is sent unchanged."""
    listed = getattr(value, "key", None)
    return require_text("key", listed) if listed is not None else license_key(value)


def is_monitoring_key(key: str) -> bool:
    """Return whether ``key`` has the format of a monitoring key: 16 to 32 letters and digits."""
    return re.fullmatch(_MONITORING_KEY, key) is not None


def monitoring_key(value: object) -> str:
    """Return a key to register for monitoring."""
    return _matching("key", value, _MONITORING_KEY, "a monitoring key has 16 to 32 letters and digits")


def server_id(value: object, name: str = "server_id") -> str:
    """Return the id of a server."""
    expected = "expected 1 to 128 printable ASCII characters, except spaces and , / ? # & %"
    return _matching(name, value, _SERVER_ID, expected)


def license_type(name: str, value: object) -> str:
    """Return the number of an IP license type, which need not be in the API document."""
    return whole_number(name, value, 1, 99_999)


def group_name(value: object) -> str:
    """Return the name of a group."""
    return single_line("name", value, 100)


def description(value: object) -> str:
    """Return the description of a group."""
    return single_line("description", value, 255)


def product_code(value: object) -> str:
    """Return a product code unchanged: there are new codes, and the documented ones are irregular."""
    fit = value if isinstance(value, str) and is_clean(value) else None
    return _matching("code", fit, _PRODUCT_CODE, "expected 1 to 32 printable characters, except , / ? # & %")


def cloudlinux_product(value: object) -> str:
    """Return the product of CloudLinux OS keys, such as ``CL``, in capitals."""
    product = value.upper() if isinstance(value, str) else value
    return _matching("product", product, _AWP_PRODUCT, "expected a product such as CL: 1 to 32 of A-Z, 0-9 and _")


def login(value: object) -> str:
    """Return a login, without the bar that ends the login in a token."""
    if "|" in single_line("login", value, 255):
        raise InvalidArgumentError("login", "contains a |; expected the login of the account")
    return str(value)


def url(name: str, value: object) -> str:
    """Return an http or https URL."""
    return _matching(name, value, _URL, "expected http:// or https:// and a host, without spaces, ? and #")


def seconds(name: str, value: object) -> float:
    """Return a time in seconds, more than 0 and at most a day."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 86_400:
        raise InvalidArgumentError(name, "expected seconds, more than 0 and at most 86400")
    return float(value)


def month(value: object) -> str:
    """Return a month, ``yyyy-MM``."""
    return _matching("month", value, _MONTH, "expected yyyy-MM, from 2000-01 to 2099-12")


def awp_products(values: object) -> str:
    """Return the codes of AccelerateWP products, joined by commas."""
    expected = "expected a code such as AWP_PREMIUM: 1 to 32 of A-Z, 0-9 and _"
    return ",".join(_non_empty("products", values, lambda name, value: _matching(name, value, _AWP_PRODUCT, expected)))


def server_ids(values: object) -> str:
    """Return the ids of servers, joined by commas."""
    return ",".join(_non_empty("server_ids", values, lambda name, value: server_id(value, name)))


def address(value: object, name: str = "ip") -> str:
    """Return an IP address in its canonical form."""
    try:
        if isinstance(value, str) and "%" not in value:
            return str(ipaddress.ip_address(value))
    except ValueError:
        pass
    raise InvalidArgumentError(name, "invalid IP address: use for example 192.0.2.1 or 2001:db8::1")


def cidrs(values: object) -> str:
    """Return networks in CIDR notation, in their canonical form, joined by commas."""
    return ",".join(_non_empty("cidrs", values, _cidr))


def _cidr(name: str, value: object) -> str:
    expected = "use for example 192.0.2.0/24 or 2001:db8::/32"
    if not isinstance(value, str) or re.fullmatch(_PREFIX, value) is None:
        raise InvalidArgumentError(name, f"expected an address, a slash and a prefix length; {expected}")
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InvalidArgumentError(name, f"invalid IP network; {expected}") from None
    if ipaddress.ip_interface(value).ip != network.network_address:
        raise InvalidArgumentError(name, f"has host bits set; did you mean {network}?")
    return str(network)


def addresses(values: object) -> list[str]:
    """Return IP addresses in their canonical form; addresses of licenses from a list of CLN are unchanged."""
    return _listed("addresses", values, _address_to_read)


def _address_to_read(name: str, value: object) -> str:
    listed = getattr(value, "ip", None)
    return require_text(name, listed) if listed is not None else address(value, name)


def _non_empty(name: str, values: object, check: Callable[[str, object], str]) -> list[str]:
    checked = _listed(name, values, check)
    if not checked:
        raise InvalidArgumentError(name, "is empty; at least one is required")
    return checked


def _listed(name: str, values: object, check: Callable[[str, object], str]) -> list[str]:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InvalidArgumentError(name, "expected a list of strings")
    return [check(f"{name}[{place}]", value) for place, value in enumerate(values)]


def _matching(name: str, value: object, form: str, expected: str) -> str:
    if not isinstance(value, str) or re.fullmatch(form, value) is None:
        raise InvalidArgumentError(name, f"invalid format; {expected}")
    return value
