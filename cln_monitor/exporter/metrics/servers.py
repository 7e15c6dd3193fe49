"""What the products whose servers check in have in common: the limit of a key, and a series a server or their ages."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import TypeVar

from cln_monitor.cln import LastCheckin, Limit, Server
from cln_monitor.exporter.metrics.families import POLLED, Family, Series, escape, number

S = TypeVar("S", bound=Server)

SERVER_LABELS = ("account", "key", "server_id", "ip")

_HOUR, _DAY = 3600, 86400
AGE_BOUNDS = (_HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
"""Seconds since the last check-in up to which servers are counted; agents check in about every 4 hours."""


def add_limit(series: Series, family: Family, labels: tuple[str, ...], limit: Limit) -> None:
    """Write the limit of a key, where CLN told one that can be read; its 0 stands for no limit."""
    if isinstance(limit, int):
        series.add(family, labels, limit or math.inf)


def add_server_times(
    series: Series,
    family: Family,
    *,
    account: str,
    key: str,
    servers: list[S],
    time_of: Callable[[S], LastCheckin],
) -> None:
    """Write a timestamp a server, nothing for a server whose time is none or not known."""
    # The hundred thousand lines of a large fleet come from here: one f-string each, nothing else.
    start = f'{family.name}{{account="{escape(account)}",key="{escape(key)}",server_id="'
    series.add_lines(
        family,
        (
            f'{start}{escape(server.server_id)}",ip="{escape(server.ip)}"}} {number(moment)}\n'
            for server in servers
            if (moment := time_of(server))
        ),
    )


def age_family(name: str, field: str, labels: tuple[str, ...]) -> Family:
    """Return the family of the ages of check-ins, which takes the place of the series a server."""
    text = (
        f"Servers whose {field} was at most le seconds ago when it was read, the buckets of a gauge histogram; "
        "only where there are no series a server."
    )
    return Family(name, f"{text} {POLLED}", (*labels, "le"), buckets=True)


def add_ages(series: Series, family: Family, labels: tuple[str, ...], ages: Iterable[float]) -> None:
    """Write how many of ``ages``, in seconds, are up to each bound."""
    counts = [0] * (len(AGE_BOUNDS) + 1)
    for age in ages:
        counts[bisect_left(AGE_BOUNDS, age)] += 1
    for bound, count in zip((*AGE_BOUNDS, math.inf), accumulate(counts), strict=True):
        series.add(family, (*labels, number(bound)), count)
