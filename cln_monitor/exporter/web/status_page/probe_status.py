"""What the page is made of: how a target stands, its settings, and the digest of what it saw."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cln_monitor.probes import Ages, CheckinSettings, Observation, ProbeReport, ProbeSettings

from .summary import CheckIns, Digest

PRODUCTS = {"kernelcare": "KernelCare", "imunify": "Imunify", "ip_licenses": "IP-licensed"}
"""The probes of servers that check in, and what those servers are called."""
PRODUCT_NAMES = PRODUCTS | {"ip_licenses": "IP licenses", "els": "ELS"}
"""What the products of probes are called."""
NEVER_AFTER = 86400.0
"""Seconds after its registration from which on a server that never checked in is told of; the alerts have the same."""


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """A target as the page sees it."""

    view: ProbeReport
    settings: ProbeSettings
    digest: Digest = field(default_factory=Digest)

    @property
    def stale_after(self) -> float:
        """The seconds after which a server counts as stale; infinity for what has no servers that check in."""
        return self.settings.stale_after if isinstance(self.settings, CheckinSettings) else math.inf

    def stale(self, now: float, of: Iterable[CheckIns] | None = None) -> int:
        """Return how many servers are stale at ``now``, of all or of the check-ins ``of`` some."""
        return sum(each.before(now - self.stale_after) for each in (self.digest.check_ins if of is None else of))

    def never(self, now: float) -> int:
        """Return how many servers never checked in though they are registered for more than a day at ``now``."""
        return sum(each.never_since(now - NEVER_AFTER) for each in self.digest.check_ins)

    def new(self, now: float) -> int:
        """Return how many servers have not checked in yet, and were registered less than a day ago at ``now``."""
        return sum(len(each.registered) - each.never_since(now - NEVER_AFTER) for each in self.digest.check_ins)

    @property
    def undated(self) -> int:
        """How many servers never checked in and were registered nobody knows when."""
        return sum(each.never - len(each.registered) for each in self.digest.check_ins)

    @property
    def unknown(self) -> int:
        """How many servers have a check-in of which nothing is known."""
        return sum(each.unknown for each in self.digest.check_ins)

    @property
    def ages(self) -> Ages:
        """How long ago it last ran, and succeeded."""
        return self.view.ages or Ages()

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
    for state in whole or states:
        for name, count in state.counts.items():
            counts[name] += count
    return counts
