"""The metrics of KernelCare keys and servers (API document, "KernelCare API")."""

from __future__ import annotations

from operator import attrgetter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import CheckinSettings, KernelCareKeyServers, Observation, count_checkins

from .servers import SERVER_LABELS, add_ages, add_limit, add_server_times, age_family

KEY_INFO = Family(
    "cln_kernelcare_key_info",
    f"KernelCare key of /kcare/key/list.json, always 1. {POLLED}",
    ("account", "key", "note", "enabled"),
)
KEY_SERVERS = Family(
    "cln_kernelcare_key_servers",
    f"Servers of /kcare/key/servers.json by last_checkin: fresh, stale, never, or unknown, which is "
    f"more than an hour ahead of CLN's clock or told of no server; their sum is what is used. {POLLED}",
    ("account", "key", "checkin"),
)
KEY_LIMIT = Family(
    "cln_kernelcare_key_servers_limit",
    f"Most servers of a KernelCare key, limit of /kcare/key/list.json, +Inf when unlimited. {POLLED}",
    ("account", "key"),
)
LAST_CHECKIN = Family(
    "cln_kernelcare_server_last_checkin_timestamp_seconds",
    f"Unix time of last_checkin of /kcare/key/servers.json, absent if never or unknown. {POLLED}",
    SERVER_LABELS,
)
CREATED = Family(
    "cln_kernelcare_server_created_timestamp_seconds",
    f"Unix time of created of /kcare/key/servers.json, when the server was registered. {POLLED}",
    SERVER_LABELS,
)
CHECKIN_AGE = age_family(
    "cln_kernelcare_server_checkin_age_seconds_bucket", "last_checkin of /kcare/key/servers.json", ("account", "key")
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, LAST_CHECKIN, CREATED, CHECKIN_AGE)
PER_SERVER = (LAST_CHECKIN, CREATED)


def render(observation: Observation[KernelCareKeyServers], settings: CheckinSettings, series: Series) -> None:
    """Write the series of ``observation``."""
    account = observation.account
    for part in observation.parts:
        key = part.value
        enabled = "" if key.enabled is None else str(key.enabled).lower()
        series.add(KEY_INFO, (account, key.key, key.note, enabled), 1)
        for checkin, count in count_checkins(key.servers, part.observed_at, settings.stale_after).items():
            series.add(KEY_SERVERS, (account, key.key, checkin), count)
        add_limit(series, KEY_LIMIT, (account, key.key), key.limit)
        if settings.server_series:
            add_server_times(
                series,
                LAST_CHECKIN,
                account=account,
                key=key.key,
                servers=key.servers,
                time_of=attrgetter("last_checkin"),
            )
            add_server_times(
                series, CREATED, account=account, key=key.key, servers=key.servers, time_of=attrgetter("created")
            )
        else:
            checkins = [server.last_checkin for server in key.servers]
            ages = [part.observed_at - moment for moment in checkins if moment]
            add_ages(series, CHECKIN_AGE, (account, key.key), ages)
