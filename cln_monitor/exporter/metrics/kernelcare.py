"""The metrics of KernelCare keys and servers (API document, "KernelCare API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import (
    CheckinSettings,
    KernelCareKeyServers,
    Observation,
    ProbeReport,
    count_checkins,
    shared_registrations,
)
from cln_monitor.registrations import find_superseded

from .servers import (
    SERVER_LABELS,
    add_ages,
    add_host_names,
    add_limit,
    add_server_times,
    age_family,
    host_family,
    labels_of_servers,
)

KEY_INFO = Family(
    "cln_kernelcare_key_info",
    f"KernelCare key in /kcare/key/list.json; always 1. {POLLED}",
    ("account", "key", "note", "enabled"),
)
KEY_SERVERS = Family(
    "cln_kernelcare_key_servers",
    "Number of servers in /kcare/key/servers.json by last_checkin: fresh, stale, never, or unknown (more than an "
    f"hour ahead of CLN's clock, or reported for no server). The sum is the usage of the key. {POLLED}",
    ("account", "key", "checkin"),
)
KEY_SUPERSEDED = Family(
    "cln_kernelcare_key_servers_superseded",
    "Number of silent servers in /kcare/key/servers.json whose address has a newer registration; they are still "
    f"billed. {POLLED}",
    ("account", "key"),
)
KEY_LIMIT = Family(
    "cln_kernelcare_key_servers_limit",
    f"Maximum number of servers of a KernelCare key, limit in /kcare/key/list.json; +Inf if unlimited. {POLLED}",
    ("account", "key"),
)
LAST_CHECKIN = Family(
    "cln_kernelcare_server_last_checkin_timestamp_seconds",
    f"Unix time of the last check-in, last_checkin in /kcare/key/servers.json; absent if never or unknown. {POLLED}",
    SERVER_LABELS,
)
CREATED = Family(
    "cln_kernelcare_server_created_timestamp_seconds",
    f"Unix time at which the server was registered, created in /kcare/key/servers.json. {POLLED}",
    SERVER_LABELS,
)
SERVER_INFO = host_family("cln_kernelcare_server_info", "a KernelCare server", SERVER_LABELS)
CHECKIN_AGE = age_family(
    "cln_kernelcare_server_checkin_age_seconds_bucket", "last_checkin of /kcare/key/servers.json", ("account", "key")
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_SUPERSEDED, KEY_LIMIT, LAST_CHECKIN, CREATED, SERVER_INFO, CHECKIN_AGE)
PER_SERVER = (LAST_CHECKIN, CREATED, SERVER_INFO)


def render(observation: Observation[KernelCareKeyServers], settings: CheckinSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        key = part.value
        enabled = "" if key.enabled is None else str(key.enabled).lower()
        series.add(KEY_INFO, (account, key.key, key.note, enabled), 1)
        for checkin, count in count_checkins(key.servers, part.observed_at, settings.stale_after).items():
            series.add(KEY_SERVERS, (account, key.key, checkin), count)
        add_limit(series, KEY_LIMIT, (account, key.key), key.limit)
        if settings.server_series:
            labels = labels_of_servers(account, key.key, key.servers)
            add_server_times(series, LAST_CHECKIN, labels, [server.last_checkin for server in key.servers])
            add_server_times(series, CREATED, labels, [server.created for server in key.servers])
        else:
            checkins = [server.last_checkin for server in key.servers]
            ages = [part.observed_at - moment for moment in checkins if moment]
            add_ages(series, CHECKIN_AGE, (account, key.key), ages)


def render_hosts(report: ProbeReport, series: Series) -> None:
    """Add the host names of the servers in ``report``."""
    if report.observation is not None:
        add_host_names(series, SERVER_INFO, report.observation, report.host_names)


def render_superseded(report: ProbeReport, settings: CheckinSettings, series: Series) -> None:
    """Add the number of superseded servers of each key in ``report`` as of its observation."""
    observation: Observation[KernelCareKeyServers] | None = report.observation
    if observation is None:
        return
    shared = shared_registrations((part.value for part in observation.parts), report.host_names)
    counts = Counter(old.key for old in find_superseded(shared, observation.observed_at, settings.stale_after))
    for part in observation.parts:
        series.add(KEY_SUPERSEDED, (observation.account, part.value.key), counts[part.value.key])
