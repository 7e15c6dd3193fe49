"""The control API of a running simulator: `/-/faults`, `/-/advance`, `/-/requests`, `/-/state`.

Requests and responses are JSON. Web pages must not be able to control a simulator: a request with an `Origin`, or for
a host that is not loopback (DNS rebinding), is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .answers import SimulatedAnswer, bare
from .faults import Fault
from .simulator import Simulator

PREFIX = "/-/"


def answer(
    simulator: Simulator,
    method: str,
    path: str,
    *,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> SimulatedAnswer:
    """Return the response to a request to `path`; the names of `headers` are lowercase.

    The status is 400 for an invalid request, 403 for a request that is not from this machine, 404 for an unknown path,
    and 405 for a method that the path does not support.
    """
    if "origin" in headers or not _names_this_machine(headers.get("host", "")):
        return _error(403, "control requests must come from this machine, and not from a web page")
    methods = _CONTROLS.get(path)
    if methods is None:
        return _error(404, f"unknown path {path}; expected one of {', '.join(_CONTROLS)}")
    control = methods.get(method)
    if control is None:
        return _error(405, f"{path} supports {', '.join(methods)}, not {method}")
    try:
        return bare(control(simulator, query, body))
    except ValueError as error:
        return _error(400, f"{method} {path}: {error}")


def is_loopback(host: str) -> bool:
    """Return whether a host name or an address is a loopback address of this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _names_this_machine(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def _error(status: int, text: str) -> SimulatedAnswer:
    return bare({"error": text}, status)


def _list_faults(simulator: Simulator, _query: Mapping[str, str], _body: bytes) -> object:
    return {"faults": [_row(number, fault) for number, fault in simulator.faults.numbered().items()]}


def _add_fault(simulator: Simulator, _query: Mapping[str, str], body: bytes) -> object:
    fields = _object(body)
    if "kind" not in fields:
        raise ValueError('the fault has no kind; use for example {"kind": "latency", "seconds": 2}')
    simulator.faults.add(Fault(**fields))
    return _list_faults(simulator, {}, b"")


def _remove_faults(simulator: Simulator, query: Mapping[str, str], _body: bytes) -> object:
    """Remove all faults, or the one with the number in `?id=`."""
    if "id" in query:
        numbered = {str(number): fault for number, fault in simulator.faults.numbered().items()}
        if query["id"] not in numbered:
            raise ValueError(f"unknown fault {query['id']}; existing faults: {', '.join(numbered) or 'none'}")
        simulator.faults.remove(numbered[query["id"]])
    else:
        simulator.faults.clear()
    return _list_faults(simulator, {}, b"")


def _advance(simulator: Simulator, _query: Mapping[str, str], body: bytes) -> object:
    fields = _object(body)
    seconds = fields.get("seconds")
    if set(fields) != {"seconds"} or isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError('expected {"seconds": n}, where n is a number')
    simulator.advance(seconds)
    return {"now": simulator.now()}


def _list_requests(simulator: Simulator, _query: Mapping[str, str], _body: bytes) -> object:
    return {"requests": [asdict(request) for request in simulator.requests]}


def _clear_requests(simulator: Simulator, _query: Mapping[str, str], _body: bytes) -> object:
    simulator.clear_requests()
    return {"requests": []}


def _state(simulator: Simulator, _query: Mapping[str, str], _body: bytes) -> object:
    now = simulator.now()
    return {
        "now": now,
        "date": simulator.dates.spell(now),
        "flags": dict(simulator.flags),
        "eportal": {"servers": len(simulator.eportal.servers)},
        "accounts": {login: account.counts() for login, account in list(simulator.accounts.items())},
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the body must be a JSON object: {error}") from None
    if isinstance(fields, dict):
        return fields
    raise ValueError("the body must be a JSON object")


def _row(number: int, fault: Fault) -> dict[str, object]:
    body = fault.fields.get("body")
    own = {**fault.fields, **({"body": body.decode(errors="replace")} if isinstance(body, bytes) else {})}
    return {
        "id": number,
        "kind": fault.kind,
        "path": fault.path,
        "match": fault.match,
        "times": fault.times,
        "after": fault.after,
        "probability": fault.probability,
        "struck": fault.struck,
        **own,
    }


_Control = Callable[[Simulator, Mapping[str, str], bytes], object]
_CONTROLS: Mapping[str, Mapping[str, _Control]] = {
    "/-/faults": {"GET": _list_faults, "POST": _add_fault, "DELETE": _remove_faults},
    "/-/advance": {"POST": _advance},
    "/-/requests": {"GET": _list_requests, "DELETE": _clear_requests},
    "/-/state": {"GET": _state},
}
