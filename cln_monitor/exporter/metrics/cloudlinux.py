"""The metrics of CloudLinux OS keys and servers (API document of 2024-10, ``/v2/cl``)."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import CloudLinuxProduct, CloudLinuxSettings, Observation

from .servers import add_limit

_LABELS = ("account", "key", "product")

KEY_INFO = Family(
    "cln_cloudlinux_key_info",
    "CloudLinux OS key in /v2/cl/keys, with the requested productType as product and its description as note; always "
    f"1. {POLLED}",
    (*_LABELS, "note"),
)
KEY_SERVERS = Family(
    "cln_cloudlinux_key_servers",
    "Number of servers in /v2/cl/servers with the key of a CloudLinux OS key: its usage. CLN does not report their "
    f"check-ins. {POLLED}",
    _LABELS,
)
KEY_LIMIT = Family(
    "cln_cloudlinux_key_servers_limit",
    f"Maximum number of servers of a CloudLinux OS key, usage_limit in /v2/cl/keys; +Inf if unlimited. {POLLED}",
    _LABELS,
)
SERVER_INFO = Family(
    "cln_cloudlinux_server_info",
    f"Server in /v2/cl/servers; always 1. {POLLED}",
    (*_LABELS, "server_id", "ip", "hostname"),
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, SERVER_INFO)
PER_SERVER = (SERVER_INFO,)


def render(observation: Observation[CloudLinuxProduct], settings: CloudLinuxSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        product, used = part.value.product, Counter(server.key for server in part.value.servers)
        for key in part.value.keys:
            labels = (account, key.key, product)
            series.add(KEY_INFO, (*labels, key.note), 1)
            series.add(KEY_SERVERS, labels, used[key.key])
            add_limit(series, KEY_LIMIT, labels, key.limit)
        if settings.server_series:
            for server in part.value.servers:
                series.add(SERVER_INFO, (account, server.key, product, server.server_id, server.ip, server.hostname), 1)
