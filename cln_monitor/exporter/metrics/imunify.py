"""The metrics of Imunify keys and servers (API document, "Imunify Product family API")."""

from __future__ import annotations

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import CheckinSettings, ImunifyKeyServers, Observation, ProbeReport, count_checkins

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
    "cln_imunify_key_info",
    f"Imunify key in /im/key/list.json, with its code as product; always 1. {POLLED}",
    ("account", "key", "product", "note"),
)
KEY_SERVERS = Family(
    "cln_imunify_key_servers",
    "Number of servers in /im/srv/list.json by last_checkin: fresh, stale, never, or unknown (more than an "
    f"hour ahead of CLN's clock, or reported for no server). The sum is the usage of the key. {POLLED}",
    ("account", "key", "checkin"),
)
KEY_LIMIT = Family(
    "cln_imunify_key_servers_limit",
    f"Maximum number of servers of an Imunify key, limit in /im/key/list.json; +Inf if unlimited. {POLLED}",
    ("account", "key"),
)
KEY_REPORTED = Family(
    "cln_imunify_key_servers_reported",
    f"Number of servers of an Imunify key, as reported by servers in /im/key/list.json. {POLLED}",
    ("account", "key"),
)
LAST_CHECKIN = Family(
    "cln_imunify_server_last_checkin_timestamp_seconds",
    f"Unix time of the last check-in, last_checkin in /im/srv/list.json; absent if never or unknown. {POLLED}",
    SERVER_LABELS,
)
SERVER_INFO = host_family("cln_imunify_server_info", "an Imunify server", SERVER_LABELS)
CHECKIN_AGE = age_family(
    "cln_imunify_server_checkin_age_seconds_bucket", "last_checkin of /im/srv/list.json", ("account", "key")
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, KEY_REPORTED, LAST_CHECKIN, SERVER_INFO, CHECKIN_AGE)
PER_SERVER = (LAST_CHECKIN, SERVER_INFO)


def render(observation: Observation[ImunifyKeyServers], settings: CheckinSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        key = part.value
        series.add(KEY_INFO, (account, key.key, key.product, key.note), 1)
        for checkin, count in count_checkins(key.servers, part.observed_at, settings.stale_after).items():
            series.add(KEY_SERVERS, (account, key.key, checkin), count)
        add_limit(series, KEY_LIMIT, (account, key.key), key.limit)
        if key.servers_reported is not None:
            series.add(KEY_REPORTED, (account, key.key), key.servers_reported)
        if settings.server_series:
            labels = labels_of_servers(account, key.key, key.servers)
            add_server_times(series, LAST_CHECKIN, labels, [server.last_checkin for server in key.servers])
        else:
            checkins = [server.last_checkin for server in key.servers]
            ages = [part.observed_at - moment for moment in checkins if moment]
            add_ages(series, CHECKIN_AGE, (account, key.key), ages)


def render_hosts(report: ProbeReport, series: Series) -> None:
    """Add the host names of the servers in ``report``."""
    if report.observation is not None:
        add_host_names(series, SERVER_INFO, report.observation, report.host_names)
