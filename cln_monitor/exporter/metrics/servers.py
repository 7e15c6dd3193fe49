"""The metrics shared by products whose servers check in: key limits, and per-server series or a histogram of ages."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any, TypeVar

from cln_monitor.cln import LastCheckin, Limit, Server
from cln_monitor.exporter.metrics.families import POLLED, Family, Series, escape, number
from cln_monitor.probes import Observation

S = TypeVar("S", bound=Server)

SERVER_LABELS = ("account", "key", "server_id", "ip")

_HOUR, _DAY = 3600, 86400
AGE_BOUNDS = (_HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
"""Upper bounds of the buckets, in seconds since the last check-in; agents check in about every 4 hours."""


def add_limit(series: Series, family: Family, labels: tuple[str, ...], limit: Limit) -> None:
    """Add the limit of a key if CLN reported a valid one; 0 means unlimited."""
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
    """Add one timestamp per server, except for servers whose time is never or unknown."""
    # Performance: this renders the hundred thousand lines of a large fleet, so each line is a single f-string.
    start = f'{family.name}{{account="{escape(account)}",key="{escape(key)}",server_id="'
    series.add_lines(
        family,
        (
            f'{start}{escape(server.server_id)}",ip="{escape(server.ip)}"}} {number(moment)}\n'
            for server in servers
            if (moment := time_of(server))
        ),
    )


def host_family(name: str, servers: str, labels: tuple[str, ...]) -> Family:
    """Return the family of the host names of ``servers``, which CLN reports in responses of other calls."""
    text = (
        f"Host name of {servers}, from the groups, the patch status, or the list of ELS servers; "
        "always 1, absent if unknown or ambiguous."
    )
    return Family(name, f"{text} {POLLED}", (*labels, "hostname"))


def add_host_names(
    series: Series, family: Family, observation: Observation[Any], host_names: Mapping[str, str]
) -> None:
    """Add one series per server of a key that has a host name in ``host_names``, by its ID."""
    for part in observation.parts if host_names else ():
        key = part.value
        start = f'{family.name}{{account="{escape(observation.account)}",key="{escape(key.key)}",server_id="'
        series.add_lines(
            family,
            (
                f'{start}{escape(server.server_id)}",ip="{escape(server.ip)}",hostname="{escape(host)}"}} 1\n'
                for server in key.servers
                if (host := host_names.get(server.server_id))
            ),
        )


def age_family(name: str, field: str, labels: tuple[str, ...], polled: str = POLLED) -> Family:
    """Return the gauge histogram of check-in ages, which replaces the per-server series."""
    text = (
        f"Number of servers whose {field} was at most le seconds ago when it was read (a gauge histogram); "
        "exposed only without per-server series."
    )
    return Family(name, f"{text} {polled}", (*labels, "le"), buckets=True)


def add_ages(series: Series, family: Family, labels: tuple[str, ...], ages: Iterable[float]) -> None:
    """Add the buckets of ``ages``, in seconds, with the bounds ``AGE_BOUNDS``."""
    counts = [0] * (len(AGE_BOUNDS) + 1)
    for age in ages:
        counts[bisect_left(AGE_BOUNDS, age)] += 1
    for bound, count in zip((*AGE_BOUNDS, math.inf), accumulate(counts), strict=True):
        series.add(family, (*labels, number(bound)), count)
