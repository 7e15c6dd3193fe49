"""The patch status of servers as a text: `/kcare/nagios…` (API document: KernelCare Nagios API).

All responses have HTTP status 200, including those about bad states and unknown keys.
"""

import re
from collections.abc import Iterable, Iterator

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import PATCH_STATES, SimulatedKernelCareServer

from . import tokens
from .call import Route, SimulatedCall

_MONITORING_KEY = re.compile(r"[A-Za-z0-9]{16,32}")
_REGISTERED, _MALFORMED, _NO_LICENSE = 0, 1, 2


def _by_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/nagios/{key}` for a KernelCare key or a registered monitoring key."""
    key = call.parts["key"]
    states = [(server, server.state_at(call.now)) for server in _servers_of(key, call)]
    if not states:
        return answers.text(f"Servers not found for key {key}")
    counts = _counts(state for _, state in states)
    bad = [(server, state) for server, state in states if state != "uptodate"]
    if not bad:
        return answers.text(f"All {len(states)} servers are up to date|{_spelled(counts)}")
    # The text has only the first bad state; which one that is without OUTOFDATE is unknown.
    named = next(state for state in PATCH_STATES[1:] if counts[state])
    lines = [f"{counts[named]} machines are {named.upper()}!|{_spelled(counts)}"]
    lines += [f"{server.hostname} ({server.ip}) is {state.upper()}" for server, state in bad]
    return answers.text("\n".join(lines))


def _by_reseller(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/nagios-res/{login}/{token}` with counts.

    The API document requires the authorization token, but in practice the static registration token is used: both are
    accepted.
    """
    login, token = call.parts["login"], call.parts["token"]
    account = call.accounts.get(login)
    if account is None:
        return answers.text("Reseller not found")
    if token != account.registration_token and not tokens.is_valid(account, token, call.token_time):
        return answers.text(f"Registration token not found for reseller {login} not found")
    return answers.text(_spelled(_counts(server.state_at(call.now) for server in account.kernelcare_servers())))


def _register_key(call: SimulatedCall) -> SimulatedAnswer:
    """Answer `/kcare/nagios/register_key.plain`, which needs no token and registers the key for the caller's IP."""
    key = call.query.get("key", "")
    licensee = next((account for account in call.accounts.values() if account.may_register(call.client_ip)), None)
    if not _MONITORING_KEY.fullmatch(key):
        code = _MALFORMED
    elif licensee is None:
        code = _NO_LICENSE
    else:
        for account in call.accounts.values():
            account.monitoring_keys.discard(key)
        licensee.add_monitoring_key(key)
        code = _REGISTERED
    return answers.plain([("code", code)])


def _servers_of(key: str, call: SimulatedCall) -> Iterator[SimulatedKernelCareServer]:
    for account in call.accounts.values():
        if key in account.kernelcare_keys:
            return iter(account.kernelcare_keys[key].servers.values())
    for account in call.accounts.values():
        if key in account.monitoring_keys:
            return account.kernelcare_servers()
    return iter(())


def _counts(states: Iterable[str]) -> dict[str, int]:
    counts = dict.fromkeys(PATCH_STATES, 0)
    for state in states:
        counts[state] += 1
    return counts


def _spelled(counts: dict[str, int]) -> str:
    return ";".join(f"{state}={count}" for state, count in counts.items())


ROUTES = (
    Route("GET", "/kcare/nagios/register_key.plain", _register_key),
    Route("GET", "/kcare/nagios/{key}", _by_key),
    Route("GET", "/kcare/nagios-res/{login}/{token}", _by_reseller),
)
