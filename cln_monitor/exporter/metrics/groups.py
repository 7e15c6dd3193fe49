"""The metrics of server groups (API document, "Server Groups for Imunify/KernelCare API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import GroupsSettings, GroupState, Observation

SERVERS = Family(
    "cln_group_servers",
    "Number of distinct servers of a group by type in /group/servers/list.json; product is empty for an empty group. "
    f"{POLLED}",
    ("account", "group", "product"),
)
SERVER_INFO = Family(
    "cln_group_server_info",
    f"Server of a group in /group/servers/list.json, with its hostName and ip; always 1. {POLLED}",
    ("account", "group", "product", "server_id", "hostname", "ip"),
)
FAMILIES = (SERVERS, SERVER_INFO)
PER_SERVER = (SERVER_INFO,)


def render(observation: Observation[GroupState], settings: GroupsSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    for part in observation.parts:
        group = part.value
        for product, count in (Counter(member.product for member in group.servers) or {"": 0}).items():
            series.add(SERVERS, (account, group.group, product), count)
        if settings.server_series:
            for member in group.servers:
                labels = (account, group.group, member.product, member.server_id, member.hostname, member.ip)
                series.add(SERVER_INFO, labels, 1)
