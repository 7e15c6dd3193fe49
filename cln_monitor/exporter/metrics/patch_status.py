"""The metrics of KernelCare patch status (API document, "KernelCare Nagios API")."""

from __future__ import annotations

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import Observation, PatchState, PatchStatusSettings

SERVERS = Family(
    "cln_patch_status_servers",
    "Number of servers by patch state, from /kcare/nagios (scope key) and /kcare/nagios-res (scope reseller). "
    f"{POLLED}",
    ("account", "scope", "key", "state"),
)
OK = Family(
    "cln_patch_status_ok",
    f"Whether all servers are up to date according to /kcare/nagios or /kcare/nagios-res. {POLLED}",
    ("account", "scope", "key"),
)
HOST = Family(
    "cln_patch_status_host",
    f"Host named in the response of /kcare/nagios, with its patch state; always 1. {POLLED}",
    ("account", "key", "host", "ip", "state"),
)
FAMILIES = (SERVERS, OK, HOST)
PER_SERVER = (HOST,)


def render(observation: Observation[PatchState], _: PatchStatusSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        state = part.value
        for name, count in (state.counts or {}).items():
            series.add(SERVERS, (account, state.scope, state.key, name), count)
        series.add(OK, (account, state.scope, state.key), int(state.ok))
        # A host may be listed twice, or for both a key and the account, but a series must be unique.
        for host in sorted({(host.host, host.ip, host.state) for host in state.hosts}):
            series.add(HOST, (account, state.key, *host), 1)
