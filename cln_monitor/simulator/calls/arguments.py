"""The arguments of calls, and the refusal of invalid ones.

All arguments are in the query, for all methods. An empty argument counts as missing. All functions raise
CallRefusedError for a missing or invalid argument.
"""

import re
from collections.abc import Container

from cln_monitor.simulator.model import canonical

from .call import CallRefusedError, SimulatedCall

LONGEST_NOTE = 100  # characters; the API document has this limit for KernelCare keys only, here it applies to all keys
_WHOLE = re.compile(r"[0-9]{1,9}")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def required(call: SimulatedCall, name: str) -> str:
    """Return a required argument."""
    value = call.query.get(name)
    if not value:
        raise _missing(name)
    return value


def whole(call: SimulatedCall, name: str) -> int:
    """Return an argument that is a whole number of 0 or more."""
    value = required(call, name)
    if not _WHOLE.fullmatch(value):
        raise CallRefusedError(f"Invalid {name}: {value}")
    return int(value)


def flag(call: SimulatedCall, name: str) -> bool | None:
    """Return a flag, `true`, `false`, `1` or `0`, or None if it is missing. Which of them CLN accepts is unknown."""
    value = call.query.get(name)
    if not value:
        return None
    if value.lower() not in _FLAGS:
        raise CallRefusedError(f"Invalid {name}: {value}")
    return _FLAGS[value.lower()]


def note(call: SimulatedCall) -> str:
    """Return the note of a key; empty if it is missing."""
    text = call.query.get("note", "")
    if len(text) > LONGEST_NOTE:
        raise CallRefusedError(f"Invalid note: {len(text)} characters, at most {LONGEST_NOTE} are allowed")
    return text


def listed(call: SimulatedCall, name: str, separators: str = ",") -> list[str]:
    """Return the distinct items of a list separated by any of `separators` and optional blanks."""
    items = re.split(f"[{separators}]", required(call, name))
    found = list(dict.fromkeys(item.strip() for item in items if item.strip()))
    if not found:
        raise _missing(name)
    return found


def address(call: SimulatedCall, name: str = "ip") -> str:
    """Return an IP address."""
    return _address(required(call, name))


def addresses(call: SimulatedCall, name: str, most: int) -> set[str]:
    """Return comma-separated addresses, at most `most`."""
    sent = required(call, name).split(",")
    if len(sent) > most:
        raise CallRefusedError(f"Too many IP addresses: {len(sent)}, at most {most} are allowed")
    return {_address(ip) for ip in sent}


def choice(value: str, known: Container[str], name: str) -> str:
    """Return a value that must be among the `known` ones; `name` is the argument in the refusal."""
    if value not in known:
        raise CallRefusedError(f"Invalid {name}: {value}")
    return value


def _missing(name: str) -> CallRefusedError:
    return CallRefusedError(f"Required parameter '{name}' is not present")


def _address(ip: str) -> str:
    try:
        return canonical(ip)
    except ValueError:
        raise CallRefusedError(f"Invalid IP address: {ip}") from None
