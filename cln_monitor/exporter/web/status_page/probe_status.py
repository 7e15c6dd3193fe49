"""The input of the status page: the report of a target, its settings, and the summary of its observation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from cln_monitor.probes import Ages, FirstPoll, ProbeReport, ProbeSettings, stale_after_of

from . import formatting
from .server_pools import SilentServer
from .staleness import KeySilence, Kind, SilentServers, named_servers, silence_of_keys, sum_of
from .summary import Summary

PRODUCTS = {"kernelcare": "KernelCare", "imunify": "Imunify", "ip_licenses": "IP-licensed", "els": "ELS"}
"""The probes of servers that check in, with the display names of these servers."""
PRODUCT_NAMES = PRODUCTS | {"ip_licenses": "IP licenses", "cloudlinux": "CloudLinux OS"}
"""The display names of products, by probe."""


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """The status of one target."""

    view: ProbeReport
    settings: ProbeSettings
    summary: Summary = field(default_factory=Summary)
    # Cached because rendering a page needs it often, and there may be thousands of keys.
    _silences: dict[float, tuple[SilentServers, Sequence[KeySilence]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def stale_after(self) -> float:
        """Seconds without a check-in after which a server is stale; infinity if the probe has no check-ins."""
        stale_after = stale_after_of(self.settings)
        return math.inf if stale_after is None else stale_after

    def silence(self, now: float) -> SilentServers:
        """Return the number of silent servers at ``now``, by row of the policy."""
        return self._silence(now)[0]

    def silence_of_keys(self, now: float) -> Sequence[KeySilence]:
        """Return the silent servers at ``now`` of each key."""
        return self._silence(now)[1]

    def _silence(self, now: float) -> tuple[SilentServers, Sequence[KeySilence]]:
        if now not in self._silences:
            keys = silence_of_keys(self.summary, now, self.stale_after)
            self._silences[now] = (sum_of(keys), keys)
        return self._silences[now]

    def named_servers(self, now: float) -> dict[Kind, list[SilentServer]]:
        """Return the silent servers of each kind that can be listed, the longest silent first."""
        return named_servers(self.summary, now, self.stale_after)

    @property
    def unknown(self) -> int:
        """The number of servers with an unknown check-in that CLN should report."""
        return sum(check_ins.unknown for check_ins in self.summary.check_ins) - self.summary.without_check_ins

    @property
    def ages(self) -> Ages:
        """The seconds since its last run and its last success."""
        return self.view.ages or Ages()

    @property
    def late(self) -> float | None:
        """The seconds by which its next run is overdue; None if it is not, or only slightly."""
        last_run = self.ages.last_run
        if last_run is None or last_run <= 2 * self.view.interval + formatting.MINUTE:
            return None
        return last_run - self.view.interval

    @property
    def first_poll(self) -> FirstPoll | None:
        """How far its first poll is, if that is all it has data of: nothing is judged or added up until it ends."""
        return self.view.first_poll or None

    @property
    def has_data(self) -> bool:
        """Whether it has data, which may be empty lists."""
        return self.view.observation is not None and self.view.observation.has_data

    @property
    def is_available(self) -> bool:
        """Whether the account has the product of the probe, as far as known: CLN lists nothing for other products."""
        observation, summary = self.view.observation, self.summary
        if observation is None or not self.has_data or self.view.failure is not None or observation.expired_parts:
            return True
        if observation.unavailable and not observation.parts:
            return False
        return self.view.probe not in PRODUCT_NAMES or bool(summary.keys or summary.licenses)

    def host_of(self, server: SilentServer) -> str:
        """Return the host name of a ``server``, empty if it is unknown."""
        return self.view.host_names.get(server.server_id or server.ip, "")

    @property
    def notes(self) -> Mapping[str, str]:
        """The notes of its keys by key label; keys without a note are omitted."""
        return {key.key: key.note for key in self.summary.keys if key.note}

    @property
    def json_path(self) -> str:
        """The path of its observation as JSON, relative to the page."""
        view = self.view
        path = f"{quote(view.account, safe='')}/{view.probe}" if view.account else view.probe
        return f"api/v1/observations/{path}"
