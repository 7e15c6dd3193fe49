"""Observations for tests, and their status on the page."""

from __future__ import annotations

import math
from typing import Any

from cln_monitor.cln import KernelCareServer
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.exporter.web.status_page.summary import summarize
from cln_monitor.probes import ALL_PROBES, Failure, FirstPoll, Observation, stale_after_of
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseCheckin, LicenseState
from cln_monitor.probes.kernelcare import KernelCareKeyServers
from tests.exporter.metrics.rendering import observed, viewed
from tests.helpers.clock import NOW

HOUR, DAY = 3600, 86400


def server(server_id: str, age: float | None, created: float | None = None, ip: str = "192.0.2.1") -> KernelCareServer:
    """Return a KernelCare server that last checked in ``age`` seconds before now, None for never."""
    return KernelCareServer(server_id, ip, created, None if age is None else NOW - age)


def key(
    name: str, *servers: KernelCareServer, limit: int | None = 0, note: str = "", enabled: bool | None = True
) -> KernelCareKeyServers:
    """Return a KernelCare key."""
    return KernelCareKeyServers(name, note, enabled=enabled, limit=limit, servers=list(servers))


def kernelcare(*keys: KernelCareKeyServers, account: str = "acme") -> Observation[Any]:
    """Return an observation of the KernelCare probe."""
    return observed({key_.key: key_ for key_ in keys}, account=account)


def licensed(
    *licenses: tuple[str, bool | None, float | None], at: str = "192.0.2.{}", created: float = DAY
) -> Observation[Any]:
    """Return an observation of the IP license probe: type, use, and age of the check-in of each license."""
    states = [
        LicenseState(at.format(place), name, used, NOW - created) for place, (name, used, _) in enumerate(licenses, 1)
    ]
    checkins = [
        LicenseCheckin(state.ip, state.license, None if age is None else NOW - age)
        for state, (_, _, age) in zip(states, licenses, strict=True)
    ]
    return observed(
        {"licenses": IpLicenseList(states), "check-ins 1": IpLicenseList([], checkins)}, probe="ip_licenses"
    )


def status_of(
    observation: Observation[Any] | None = None,
    *,
    probe: str = "kernelcare",
    account: str = "acme",
    last_run: float | None = NOW,
    last_success: float | None = NOW,
    failure: Failure | None = None,
    now: float = NOW,
    first_poll: FirstPoll | None = None,
    **settings: float,
) -> ProbeStatus:
    """Return the status of a target at ``now``, with the default settings of its probe except for ``settings``."""
    view = viewed(
        observation,
        probe=probe,
        account=account,
        last_run=last_run,
        last_success=last_success,
        failure=failure,
        now=now,
        first_poll=first_poll,
    )
    settings_type: Any = ALL_PROBES[view.probe].settings
    chosen = settings_type(**settings)
    stale_after = stale_after_of(chosen) or math.inf
    return ProbeStatus(view, chosen, *([] if observation is None else [summarize(observation, stale_after)]))
