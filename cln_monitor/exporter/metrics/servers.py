"""The metrics shared by products whose servers check in: key limits, and per-server series or a histogram of ages."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from cln_monitor.cln import LastCheckin, Limit, Server
from cln_monitor.exporter.metrics.families import POLLED, Family, Series, escape, escape_all, number
from cln_monitor.probes import Observation

SERVER_LABELS = ("account", "key", "server_id", "ip")

_HOUR, _DAY = 3600, 86400
AGE_BOUNDS = (_HOUR, 4 * _HOUR, 8 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
"""Upper bounds of the buckets, in seconds since the last check-in; agents check in about every 4 hours."""


def add_limit(series: Series, family: Family, labels: tuple[str, ...], limit: Limit) -> None:
    """Add the limit of a key if CLN reported a valid one; 0 means unlimited."""
    if isinstance(limit, int):
        series.add(family, labels, limit or math.inf)


def labels_of_servers(account: str, key: str, servers: Sequence[Server]) -> list[str]:
    """Return the text of the labels of each of ``servers``, from the brace to the space before a value."""
    start = f'{{account="{escape(account)}",key="{escape(key)}",server_id="'
    ids, ips = (escape_all([getattr(server, name) for server in servers]) for name in ("server_id", "ip"))
    return [f'{start}{server_id}",ip="{ip}"}} ' for server_id, ip in zip(ids, ips, strict=True)]


def add_server_times(series: Series, family: Family, labels: list[str], times: Iterable[LastCheckin]) -> None:
    """Add one timestamp per server, except where it is never or unknown. ``labels`` is from `labels_of_servers`."""
    # Performance: this renders the hundred thousand lines of a large fleet, so each line is a single f-string.
    name = family.name
    lines = [f"{name}{text}{number(moment)}\n" for text, moment in zip(labels, times, strict=True) if moment]
    series.add_lines(family, lines)


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
