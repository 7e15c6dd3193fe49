"""What the page is made of: how a target stands, its settings, and the digest of what it saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cln_monitor import policy
from cln_monitor.probes import Ages, Observation, ProbeReport, ProbeSettings, stale_after_of

from . import formatting
from .silence import SilentServers, silent_servers
from .summary import CheckIns, Digest

PRODUCTS = {"kernelcare": "KernelCare", "imunify": "Imunify", "ip_licenses": "IP-licensed"}
"""The probes of servers that check in, and what those servers are called."""
PRODUCT_NAMES = PRODUCTS | {"ip_licenses": "IP licenses", "els": "ELS"}
"""What the products of probes are called."""


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """A target as the page sees it."""

    view: ProbeReport
    settings: ProbeSettings
    digest: Digest = field(default_factory=Digest)

    @property
    def stale_after(self) -> float:
        """The seconds after which a server counts as stale; infinity for what has no servers that check in."""
        stale_after = stale_after_of(self.settings)
        return math.inf if stale_after is None else stale_after

    def stale(self, now: float, check_ins: CheckIns) -> int:
        """Return how many servers of ``check_ins`` are stale at ``now``."""
        return check_ins.before(now - self.stale_after)

    def silence(self, now: float) -> SilentServers:
        """Return how many servers are silent at ``now``, by the rows of the policy."""
        return silent_servers(self.digest, now, self.stale_after)

    @property
    def unknown(self) -> int:
        """How many servers have a check-in of which nothing is known."""
        return sum(each.unknown for each in self.digest.check_ins)

    @property
    def ages(self) -> Ages:
        """How long ago it last ran, and succeeded."""
        return self.view.ages or Ages()

    @property
    def late(self) -> float | None:
        """For how many seconds it should have run again, once it is worth a word."""
        last_run = self.ages.last_run
        if last_run is None or last_run <= 2 * self.view.interval + formatting.MINUTE:
            return None
        return last_run - self.view.interval

    @property
    def has_data(self) -> bool:
        """Whether there is anything to show, be it that there is nothing."""
        return self.view.observation is not None and self.view.observation.has_data

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        view = self.view
        return f"The probe {view.probe} of {view.account}" if view.account else f"The probe {view.probe} at {view.api}"


def patch_counts(observation: Observation[Any] | None) -> Mapping[str, int]:
    """Return the servers of an account by patch state: as told of the whole account, or else of its keys together."""
    if observation is None:
        return {}
    states = [part.value for part in observation.parts if part.value.counts is not None]
    whole = [state for state in states if state.scope == "reseller"]
    counts: Counter[str] = Counter()
    for state in whole or policy.patch_states_of_account(
        states, lambda state: bool(state.is_listed), lambda state: sum(state.counts.values())
    ):
        for name, count in state.counts.items():
            counts[name] += count
    return counts
