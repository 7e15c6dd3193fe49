"""What calls take as arguments, and the refusal of what they do not take.

All arguments stand in the query, whatever the method of the call. An empty one is a missing one.
"""

import re
from collections.abc import Container
from ipaddress import ip_address

from .calls import Call, Refused

LONGEST_NOTE = 100  # characters; the document says so of KernelCare keys, here it is so for all
_WHOLE = re.compile(r"[0-9]{1,9}")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def canonical(ip: str) -> str:
    """An address as it is spelled here. Raises ValueError for a text that is none, or that names a zone."""
    if "%" in ip:
        raise ValueError(f"{ip!r} is an address with a zone, which means nothing to another machine")
    return str(ip_address(ip))


def required(call: Call, name: str) -> str:
    """An argument the call cannot do without."""
    value = call.query.get(name)
    if not value:
        raise _missing(name)
    return value


def whole(call: Call, name: str) -> int:
    """A whole number of 0 or more."""
    value = required(call, name)
    if not _WHOLE.fullmatch(value):
        raise Refused(f"Invalid {name}: {value}")
    return int(value)


def flag(call: Call, name: str) -> bool | None:
    """`true`, `false`, `1` or `0`; None when it is missing. How CLN spells a flag is unknown."""
    value = call.query.get(name)
    if not value:
        return None
    if value.lower() not in _FLAGS:
        raise Refused(f"Invalid {name}: {value}")
    return _FLAGS[value.lower()]


def note(call: Call) -> str:
    """The note of a key, empty when it is missing."""
    text = call.query.get("note", "")
    if len(text) > LONGEST_NOTE:
        raise Refused(f"Invalid note: {len(text)} characters, at most {LONGEST_NOTE} are allowed")
    return text


def listed(call: Call, name: str, separators: str = ",") -> list[str]:
    """A list whose items are parted by any of `separators`, with blanks around them or not; each item once."""
    items = re.split(f"[{separators}]", required(call, name))
    found = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    if not found:
        raise _missing(name)
    return found


def address(call: Call, name: str = "ip") -> str:
    """An IP address."""
    return _address(required(call, name))


def addresses(call: Call, name: str, most: int) -> set[str]:
    """Addresses parted by commas, `most` of them at most."""
    sent = required(call, name).split(",")
    if len(sent) > most:
        raise Refused(f"Too many IP addresses: {len(sent)}, at most {most} are allowed")
    return {_address(ip) for ip in sent}


def one_of(value: str, known: Container[str], what: str) -> str:
    """A value that must be a known one."""
    if value not in known:
        raise Refused(f"Invalid {what}: {value}")
    return value


def _missing(name: str) -> Refused:
    return Refused(f"Required parameter '{name}' is not present")


def _address(ip: str) -> str:
    try:
        return canonical(ip)
    except ValueError:
        raise Refused(f"Invalid IP address: {ip}") from None
