"""Helpers for calls on the keys of all products: find a key or a server, update a key."""

from collections.abc import Mapping
from typing import Any

from cln_monitor.simulator.model import Key, KeyT, holder

from . import arguments
from .call import CallRefusedError, SimulatedCall


def find_key(call: SimulatedCall, keys: Mapping[str, KeyT]) -> KeyT:
    """Return the key in `keys` that the argument `key` names.

    Raises CallRefusedError; its message does not reveal whether another account has such a key.
    """
    key = keys.get(arguments.required(call, "key"))
    if key is None:
        raise CallRefusedError("Key not found")
    return key


def find_server(call: SimulatedCall, keys: Mapping[str, KeyT]) -> tuple[KeyT, str]:
    """Return the key in `keys` with the server that the argument `id` names, and that id.

    Raises CallRefusedError if no key has it; the API document specifies this response only for KernelCare.
    """
    server_id = arguments.required(call, "id")
    key = holder(keys, server_id)
    if key is None:
        raise CallRefusedError("Server not found")
    return key, server_id


def update(call: SimulatedCall, key: Key[Any]) -> None:
    """Change the limit and the note of `key` if the call has them; an empty note removes the note.

    What CLN does with a limit below the number of servers is unknown: here it is accepted, and the key is full.
    """
    limit = arguments.whole(call, "limit") if "limit" in call.query else key.limit
    key.note = arguments.note(call) if "note" in call.query else key.note
    key.limit = limit
