"""What calls take as arguments, and the refusal of what they do not take.

All arguments stand in the query, whatever the method of the call. An empty one is a missing one.
"""

import re
from collections.abc import Container

from cln_monitor.simulator.model import canonical

from .call import CallRefusedError, SimulatedCall

LONGEST_NOTE = 100  # characters; the document says so of KernelCare keys, here it is so for all
_WHOLE = re.compile(r"[0-9]{1,9}")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def required(call: SimulatedCall, name: str) -> str:
    """An argument the call cannot do without."""
    value = call.query.get(name)
    if not value:
        raise _missing(name)
    return value


def whole(call: SimulatedCall, name: str) -> int:
    """A whole number of 0 or more."""
    value = required(call, name)
    if not _WHOLE.fullmatch(value):
        raise CallRefusedError(f"Invalid {name}: {value}")
    return int(value)


def flag(call: SimulatedCall, name: str) -> bool | None:
    """`true`, `false`, `1` or `0`; None when it is missing. How CLN spells a flag is unknown."""
    value = call.query.get(name)
    if not value:
        return None
    if value.lower() not in _FLAGS:
        raise CallRefusedError(f"Invalid {name}: {value}")
    return _FLAGS[value.lower()]


def note(call: SimulatedCall) -> str:
    """The note of a key, empty when it is missing."""
    text = call.query.get("note", "")
    if len(text) > LONGEST_NOTE:
        raise CallRefusedError(f"Invalid note: {len(text)} characters, at most {LONGEST_NOTE} are allowed")
    return text


def listed(call: SimulatedCall, name: str, separators: str = ",") -> list[str]:
    """A list whose items are parted by any of `separators`, with blanks around them or not; each item once."""
    items = re.split(f"[{separators}]", required(call, name))
    found = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    if not found:
        raise _missing(name)
    return found


def address(call: SimulatedCall, name: str = "ip") -> str:
    """An IP address."""
    return _address(required(call, name))


def addresses(call: SimulatedCall, name: str, most: int) -> set[str]:
    """Addresses parted by commas, `most` of them at most."""
    sent = required(call, name).split(",")
    if len(sent) > most:
        raise CallRefusedError(f"Too many IP addresses: {len(sent)}, at most {most} are allowed")
    return {_address(ip) for ip in sent}


def one_of(value: str, known: Container[str], what: str) -> str:
    """A value that must be a known one."""
    if value not in known:
        raise CallRefusedError(f"Invalid {what}: {value}")
    return value


def _missing(name: str) -> CallRefusedError:
    return CallRefusedError(f"Required parameter '{name}' is not present")


def _address(ip: str) -> str:
    try:
        return canonical(ip)
    except ValueError:
        raise CallRefusedError(f"Invalid IP address: {ip}") from None
