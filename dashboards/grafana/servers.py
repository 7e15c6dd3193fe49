"""What the dashboards of products whose servers check in have in common."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries

from . import queries as q
from .panels import GOOD, POLLED, WARN, lines
from .tables import DAYS, Column, rows


def checkins_over_time(product: str, source: str) -> timeseries.Panel:
    """Return how many servers are fresh, stale, never heard of."""
    return lines(
        "Servers by check-in",
        f"Servers of the keys: fresh, stale, never checked in or unknown, as the exporter counts, {source}. {POLLED}",
        [(f"sum by (checkin) ({q.key_servers(product)})", "{{checkin}}")],
        size=(12, 8),
        stacked=True,
        colors={"fresh": GOOD, "stale": WARN, "never": "purple", "unknown": "red"},
    )


def stale_servers(product: str, source: str, size: tuple[int, int]) -> table.Panel:
    """Return the servers whose last check-in is too old, the oldest first."""
    return rows(
        "Stale servers",
        "Servers whose last check-in is older than the exporter's stale_after, the oldest first. last_checkin of "
        f"{source}; empty with server_series: false. {POLLED}",
        [q.stale_servers(product)],
        [
            Column("Value", "Silent for", unit=DAYS, decimals=1, width=120, right=True, steps=((None, WARN),)),
            Column("ip", "Address", width=160),
            Column("server_id", "Server"),
            Column("key", "Key", width=150),
            Column("account", "Account", width=110),
        ],
        size=size,
        none="No server is stale",
        sort=[("Silent for", True)],
    )
