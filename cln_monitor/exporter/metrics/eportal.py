"""The metrics of ePortals: servers with the live patch that each has loaded, and CVE coverage."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED_FROM_EPORTAL as POLLED
from cln_monitor.exporter.metrics.families import Family, Series
from cln_monitor.patches import CVE_STATES, LivePatch, state_of_cve
from cln_monitor.policy import STALE
from cln_monitor.probes import EportalFleet, EportalServerState, EportalSettings, Observation, count_checkins

from .servers import add_ages, age_family

_SERVER = ("account", "key", "feed", "server_id", "hostname", "ip")

SERVERS = Family(
    "cln_eportal_servers",
    "Number of servers of an ePortal by state: total, updated and outdated (is_updated of /servers), and silent "
    "(checkin longer than stale_after ago). The states overlap; updated is absent if the ePortal has not judged all, "
    f"and outdated if it is not known of any. {POLLED}",
    ("account", "state"),
)
LAST_CHECKIN = Family(
    "cln_eportal_server_last_checkin_timestamp_seconds",
    f"Unix time of the last check-in, checkin of /servers; absent if never or unknown. {POLLED}",
    _SERVER,
)
PATCHED = Family(
    "cln_eportal_server_patched_timestamp_seconds",
    f"Unix time at which the server last loaded a live patch, updated of /servers; absent if unknown. {POLLED}",
    _SERVER,
)
LEVEL = Family(
    "cln_eportal_server_patch_level",
    f"Level of the loaded live patch, patch_level of /servers; 0 for none, absent if unknown. {POLLED}",
    _SERVER,
)
BUILT = Family(
    "cln_eportal_server_patch_built_timestamp_seconds",
    "Unix time at which the loaded live patch was built, time in kpatch.info of the patch server; absent if unknown. "
    f"{POLLED}",
    _SERVER,
)
OUTDATED = Family(
    "cln_eportal_server_outdated",
    "Server without the newest live patch of its feed, is_updated of /servers; always 1, and absent for all other "
    f"servers. {POLLED}",
    _SERVER,
)
INFO = Family(
    "cln_eportal_server_info",
    "Server in /servers, with euname as effective_kernel and release as running_kernel; patch_level is empty if "
    f"unknown; always 1. {POLLED}",
    (*_SERVER, "effective_kernel", "running_kernel", "kernel_id", "patch_level", "kcare_version", "distro"),
)
PATCH_SERVERS = Family(
    "cln_eportal_patch_servers",
    f"Number of servers by feed and loaded live patch; kernel_id or patch_level is empty if unknown. {POLLED}",
    ("account", "feed", "kernel_id", "patch_level"),
)
PATCH_BUILT = Family(
    "cln_patch_built_timestamp_seconds",
    "Unix time at which a loaded live patch was built, time in kpatch.info of the patch server; absent if unknown. "
    f"{POLLED}",
    ("kernel_id", "patch_level"),
    shared=True,
)
CVE_SERVERS = Family(
    "cln_cve_servers",
    "Number of servers by what their loaded live patch does about a CVE of patches.cves: fixed, not_fixed, or unknown. "
    f"A server that is not_fixed need not be vulnerable: the kernel that it booted may have the fix. {POLLED}",
    ("account", "cve", "state"),
)
CHECKIN_AGE = age_family("cln_eportal_server_checkin_age_seconds_bucket", "checkin of /servers", ("account",), POLLED)
PER_SERVER = (LAST_CHECKIN, PATCHED, LEVEL, BUILT, OUTDATED, INFO)
FAMILIES = (SERVERS, *PER_SERVER, PATCH_SERVERS, PATCH_BUILT, CHECKIN_AGE, CVE_SERVERS)

_Patches = dict[tuple[str, int], LivePatch]


def render(observation: Observation[EportalFleet], settings: EportalSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    for part in observation.parts:
        fleet, account = part.value, observation.account
        patches = fleet.patches_by_level()
        _add_counts(
            series, account, fleet, count_checkins(fleet.servers, part.observed_at, settings.stale_after)[STALE]
        )
        _add_coverage(series, account, fleet, patches)
        if settings.server_series:
            for server in fleet.servers:
                _add_server(series, account, server, patches)
        else:
            ages = [part.observed_at - server.last_checkin for server in fleet.servers if server.last_checkin]
            add_ages(series, CHECKIN_AGE, (account,), ages)


def _add_counts(series: Series, account: str, fleet: EportalFleet, silent: int) -> None:
    updates = Counter(server.is_updated for server in fleet.servers)
    series.add(SERVERS, (account, "total"), len(fleet.servers))
    if not updates[None]:
        series.add(SERVERS, (account, "updated"), updates[True])
    if updates[None] < len(fleet.servers) or not fleet.servers:
        series.add(SERVERS, (account, "outdated"), updates[False])
    series.add(SERVERS, (account, "silent"), silent)
    loaded = Counter((server.feed, server.kernel_id, _level(server)) for server in fleet.servers)
    for labels, count in sorted(loaded.items()):
        series.add(PATCH_SERVERS, (account, *labels), count)
    for patch in fleet.patches:
        if patch.built_at is not None:
            series.add(PATCH_BUILT, (patch.kernel_id, str(patch.level)), patch.built_at)


def _add_coverage(series: Series, account: str, fleet: EportalFleet, patches: _Patches) -> None:
    for cve in fleet.cves:
        states = Counter(state_of_cve(cve, server.patch_level, _patch_of(server, patches)) for server in fleet.servers)
        for state in CVE_STATES:
            series.add(CVE_SERVERS, (account, cve, state), states[state])


def _add_server(series: Series, account: str, server: EportalServerState, patches: _Patches) -> None:
    labels = (account, server.key, server.feed, server.server_id, server.hostname, server.ip)
    patch = _patch_of(server, patches)
    kernels = (server.effective_kernel, server.running_kernel, server.kernel_id)
    series.add(INFO, (*labels, *kernels, _level(server), server.kcare_version, server.distro), 1)
    if server.last_checkin:
        series.add(LAST_CHECKIN, labels, server.last_checkin)
    if server.patched_at is not None:
        series.add(PATCHED, labels, server.patched_at)
    if server.patch_level is not None:
        series.add(LEVEL, labels, server.patch_level)
    if patch is not None and patch.built_at is not None:
        series.add(BUILT, labels, patch.built_at)
    if server.is_updated is False:
        series.add(OUTDATED, labels, 1)


def _patch_of(server: EportalServerState, patches: _Patches) -> LivePatch | None:
    return None if server.patch_level is None else patches.get((server.kernel_id, server.patch_level))


def _level(server: EportalServerState) -> str:
    return "" if server.patch_level is None else str(server.patch_level)
