"""The servers of an account by patch state, and the first hosts of each state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cln_monitor import policy
from cln_monitor.cln import PatchedHost
from cln_monitor.probes import Observation

UP_TO_DATE = "uptodate"
"""The good patch state."""


@dataclass(frozen=True, slots=True)
class PatchedHosts:
    """The number of servers (``counts``) and the first ``hosts`` of each patch state, if CLN lists them.

    ``off`` is the number of servers of disabled keys that are not up to date; ``counts`` do not include them.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, tuple[PatchedHost, ...]] = field(default_factory=dict)
    off: int = 0


def patched_hosts(observation: Observation[Any], most: int) -> PatchedHosts:
    """Return the patch states of an account, with up to ``most`` hosts each; CLN lists hosts only per key."""
    hosts: dict[str, dict[PatchedHost, None]] = {}
    for part in observation.parts:
        for host in () if part.value.is_disabled else part.value.hosts:
            named = hosts.setdefault(host.state, {})
            if host.state != UP_TO_DATE and len(named) < most:
                named[host] = None
    disabled = (part.value for part in observation.parts if part.value.is_disabled)
    return PatchedHosts(
        patch_counts(observation),
        {state: tuple(named) for state, named in hosts.items() if named},
        sum(count for part in disabled for state, count in (part.counts or {}).items() if state != UP_TO_DATE),
    )


def patch_counts(observation: Observation[Any]) -> Mapping[str, int]:
    """Return the number of servers of an account by patch state, from the whole account if known, else from its keys.

    Servers of disabled keys are excluded if CLN reports the states of keys.
    """
    active = (part.value for part in observation.parts if not part.value.is_disabled)
    states = [state for state in active if state.counts is not None]
    whole = [state for state in states if state.scope == "reseller"]
    counts: Counter[str] = Counter()
    for state in whole or policy.patch_states_of_account(
        states, lambda state: bool(state.is_listed), lambda state: sum(state.counts.values())
    ):
        for name, count in state.counts.items():
            counts[name] += count
    return counts
