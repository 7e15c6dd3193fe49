"""The metrics of ELS keys and servers (API document, "ELS Products API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import ElsProduct, ElsSettings, Observation

from .servers import add_limit

_LABELS = ("account", "key", "product")

KEY_INFO = Family(
    "cln_els_key_info",
    f"ELS key in /els/key/list.json, with its code as product and its description as note; always 1. {POLLED}",
    (*_LABELS, "note"),
)
KEY_SERVERS = Family(
    "cln_els_key_servers", f"Number of servers in /els/srv/list.json registered with an ELS key. {POLLED}", _LABELS
)
KEY_LIMIT = Family(
    "cln_els_key_servers_limit",
    f"Maximum number of servers of an ELS key, usageLimit in /els/key/list.json; +Inf if unlimited. {POLLED}",
    _LABELS,
)
SERVER_INFO = Family(
    "cln_els_server_info",
    f"Server in /els/srv/list.json; always 1. {POLLED}",
    (*_LABELS, "server_id", "ip", "hostname"),
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, SERVER_INFO)
PER_SERVER = (SERVER_INFO,)


def render(observation: Observation[ElsProduct], _: ElsSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        product = part.value.product
        used = Counter(server.key for server in part.value.servers)
        for key in part.value.keys:
            labels = (account, key.key, product)
            series.add(KEY_INFO, (*labels, key.note), 1)
            series.add(KEY_SERVERS, labels, used[key.key])
            add_limit(series, KEY_LIMIT, labels, key.limit)
        for server in part.value.servers:
            server_labels = (account, server.key, product, server.server_id, server.ip, server.hostname)
            series.add(SERVER_INFO, server_labels, 1)
