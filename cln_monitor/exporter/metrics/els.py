"""The metrics of ELS keys and servers (API document, "ELS Products API")."""

from __future__ import annotations

from collections import defaultdict

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import ElsProduct, ElsServerState, ElsSettings, Observation, Part, count_checkins

from .servers import add_ages, add_limit, age_family

_LABELS = ("account", "key", "product")
_SERVER = (*_LABELS, "server_id", "ip", "hostname")

KEY_INFO = Family(
    "cln_els_key_info",
    f"ELS key in /els/key/list.json, with its code as product and its description as note; always 1. {POLLED}",
    (*_LABELS, "note"),
)
KEY_SERVERS = Family(
    "cln_els_key_servers",
    "Number of servers in /els/srv/list.json by lastCheckin: fresh, stale, never, or unknown (more than an hour ahead "
    f"of CLN's clock, or not reported, as by its revision of 2024-03). The sum is the usage of the key. {POLLED}",
    (*_LABELS, "checkin"),
)
KEY_LIMIT = Family(
    "cln_els_key_servers_limit",
    f"Maximum number of servers of an ELS key, usageLimit in /els/key/list.json; +Inf if unlimited. {POLLED}",
    _LABELS,
)
SERVER_INFO = Family(
    "cln_els_server_info",
    f"Server in /els/srv/list.json; always 1. {POLLED}",
    _SERVER,
)
LAST_CHECKIN = Family(
    "cln_els_server_last_checkin_timestamp_seconds",
    f"Unix time of the last check-in, lastCheckin in /els/srv/list.json; absent if never or unknown. {POLLED}",
    _SERVER,
)
CHECKIN_AGE = age_family("cln_els_server_checkin_age_seconds_bucket", "lastCheckin of /els/srv/list.json", _LABELS)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, SERVER_INFO, LAST_CHECKIN, CHECKIN_AGE)
PER_SERVER = (SERVER_INFO, LAST_CHECKIN)


def render(observation: Observation[ElsProduct], settings: ElsSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    for part in observation.parts:
        _render_keys(part, observation.account, settings, series)
        if settings.server_series:
            for server in part.value.servers:
                key, product = server.key, part.value.product
                labels = (observation.account, key, product, server.server_id, server.ip, server.hostname)
                series.add(SERVER_INFO, labels, 1)
                if server.last_checkin:
                    series.add(LAST_CHECKIN, labels, server.last_checkin)


def _render_keys(part: Part[ElsProduct], account: str, settings: ElsSettings, series: Series) -> None:
    by_key: defaultdict[str, list[ElsServerState]] = defaultdict(list)
    for server in part.value.servers:
        by_key[server.key].append(server)
    for key in part.value.keys:
        labels, servers = (account, key.key, part.value.product), by_key[key.key]
        series.add(KEY_INFO, (*labels, key.note), 1)
        for checkin, count in count_checkins(servers, part.observed_at, settings.stale_after).items():
            series.add(KEY_SERVERS, (*labels, checkin), count)
        add_limit(series, KEY_LIMIT, labels, key.limit)
        if not settings.server_series:
            ages = [part.observed_at - server.last_checkin for server in servers if server.last_checkin]
            add_ages(series, CHECKIN_AGE, labels, ages)
