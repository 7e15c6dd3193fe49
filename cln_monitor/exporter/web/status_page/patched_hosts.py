"""The kernels of an account by patch state, and the first hosts of each state."""

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
    """Servers by patch state: their ``counts``, and the first ``hosts`` of each state, where CLN names them."""

    counts: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, tuple[PatchedHost, ...]] = field(default_factory=dict)


def patched_hosts(observation: Observation[Any], most: int) -> PatchedHosts:
    """Return the patch states of an account, and ``most`` hosts of each: those of the keys, as CLN names no others."""
    hosts: dict[str, dict[PatchedHost, None]] = {}
    for part in observation.parts:
        for host in part.value.hosts:
            named = hosts.setdefault(host.state, {})
            if host.state != UP_TO_DATE and len(named) < most:
                named[host] = None
    return PatchedHosts(patch_counts(observation), {state: tuple(named) for state, named in hosts.items() if named})


def patch_counts(observation: Observation[Any]) -> Mapping[str, int]:
    """Return the servers of an account by patch state: as told of the whole account, or else of its keys together."""
    states = [part.value for part in observation.parts if part.value.counts is not None]
    whole = [state for state in states if state.scope == "reseller"]
    counts: Counter[str] = Counter()
    for state in whole or policy.patch_states_of_account(
        states, lambda state: bool(state.is_listed), lambda state: sum(state.counts.values())
    ):
        for name, count in state.counts.items():
            counts[name] += count
    return counts
