"""What the page is made of: how a target stands, its settings, and the digest of what it saw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from cln_monitor.probes import Ages, ProbeReport, ProbeSettings, stale_after_of

from . import formatting
from .server_pools import SilentServer
from .staleness import KeySilence, Kind, SilentServers, named_servers, silence_of_keys, sum_of
from .summary import Digest

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
    # Many ask for it while a page is made, and there may be thousands of keys.
    _silences: dict[float, tuple[SilentServers, Sequence[KeySilence]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def stale_after(self) -> float:
        """The seconds after which a server counts as stale; infinity for what has no servers that check in."""
        stale_after = stale_after_of(self.settings)
        return math.inf if stale_after is None else stale_after

    def silence(self, now: float) -> SilentServers:
        """Return how many servers are silent at ``now``, by the rows of the policy."""
        return self._silence(now)[0]

    def silence_of_keys(self, now: float) -> Sequence[KeySilence]:
        """Return the same, key by key."""
        return self._silence(now)[1]

    def _silence(self, now: float) -> tuple[SilentServers, Sequence[KeySilence]]:
        if now not in self._silences:
            keys = silence_of_keys(self.digest, now, self.stale_after)
            self._silences[now] = (sum_of(keys), keys)
        return self._silences[now]

    def named_servers(self, now: float) -> dict[Kind, list[SilentServer]]:
        """Return the silent servers of each kind that can be named, the longest silent first."""
        return named_servers(self.digest, now, self.stale_after)

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
    def is_available(self) -> bool:
        """Whether the account has the product of the probe, as far as is known: one that it has not lists nothing."""
        observation, digest = self.view.observation, self.digest
        if observation is None or not self.has_data or self.view.failure is not None or observation.expired_parts:
            return True
        if observation.unavailable and not observation.parts:
            return False
        return self.view.probe not in PRODUCT_NAMES or bool(digest.keys or digest.licenses)

    def host_of(self, server: SilentServer) -> str:
        """Return the host name of a ``server``, empty where none is known."""
        return self.view.host_names.get(server.server_id or server.ip, "")

    @property
    def notes(self) -> Mapping[str, str]:
        """The notes of its keys that have one, by the label of the key."""
        return {key.key: key.note for key in self.digest.keys if key.note}

    @property
    def json_path(self) -> str:
        """Where all that it saw is, below the page."""
        view = self.view
        path = f"{quote(view.account, safe='')}/{view.probe}" if view.account else view.probe
        return f"api/v1/observations/{path}"
