"""The metrics of ELS keys and servers (API document, "ELS Products API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import ElsProduct, ElsSettings, Observation

from .servers import add_limit

_LABELS = ("account", "key", "product")

KEY_INFO = Family(
    "cln_els_key_info",
    f"ELS key of /els/key/list.json, product is its code and note its description, always 1. {POLLED}",
    (*_LABELS, "note"),
)
KEY_SERVERS = Family(
    "cln_els_key_servers", f"Servers of /els/srv/list.json that are registered with an ELS key. {POLLED}", _LABELS
)
KEY_LIMIT = Family(
    "cln_els_key_servers_limit",
    f"Most servers of an ELS key, usageLimit of /els/key/list.json, +Inf when unlimited. {POLLED}",
    _LABELS,
)
SERVER_INFO = Family(
    "cln_els_server_info",
    f"Server of /els/srv/list.json, always 1. {POLLED}",
    (*_LABELS, "server_id", "ip", "hostname"),
)
FAMILIES = (KEY_INFO, KEY_SERVERS, KEY_LIMIT, SERVER_INFO)
PER_SERVER = (SERVER_INFO,)


def render(observation: Observation[ElsProduct], _: ElsSettings, series: Series) -> None:
    """Write the series of ``observation``."""
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
