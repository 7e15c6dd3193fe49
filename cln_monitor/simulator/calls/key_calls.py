"""What calls on the keys of all products have in common: whose a key is, what changes of it."""

from collections.abc import Mapping
from typing import Any

from cln_monitor.simulator.model import Key, KeyT, holder

from . import arguments
from .call import CallRefusedError, SimulatedCall


def own(call: SimulatedCall, keys: Mapping[str, KeyT]) -> KeyT:
    """The one of `keys` that the argument `key` names.

    Raises CallRefusedError, in words that do not betray whether another account has such a key.
    """
    key = keys.get(arguments.required(call, "key"))
    if key is None:
        raise CallRefusedError("Key not found")
    return key


def holding(call: SimulatedCall, keys: Mapping[str, KeyT]) -> tuple[KeyT, str]:
    """The one of `keys` with the server that the argument `id` names, and that id.

    Raises CallRefusedError when no key has it: the document tells only of KernelCare what is answered then.
    """
    server_id = arguments.required(call, "id")
    key = holder(keys, server_id)
    if key is None:
        raise CallRefusedError("Server not found")
    return key, server_id


def update(call: SimulatedCall, key: Key[Any]) -> None:
    """Change the limit and the note of `key`, whichever the call has; a note that is empty is taken away.

    What happens to a limit below the servers in use is unknown: it is taken, and the key is full.
    """
    limit = arguments.whole(call, "limit") if "limit" in call.query else key.limit
    key.note = arguments.note(call) if "note" in call.query else key.note
    key.limit = limit
