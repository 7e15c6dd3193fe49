"""What the products whose servers check in have in common: the limit of a key, and a series a server."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeVar

from cln_monitor.cln import Server
from cln_monitor.exporter.families import Family, Series, escape, number

S = TypeVar("S", bound=Server)

SERVER_LABELS = ("account", "key", "server_id", "ip")


def add_limit(series: Series, family: Family, account: str, key: str, limit: int | None) -> None:
    """Write the limit of a key, where CLN told one."""
    if limit is not None:
        series.add(family, (account, key), limit_value(limit))


def limit_value(limit: int) -> float:
    """Return the value of a limit; CLN's 0 stands for no limit."""
    return limit or math.inf


def add_server_times(
    series: Series,
    family: Family,
    *,
    account: str,
    key: str,
    servers: Iterable[S],
    time_of: Callable[[S], float | None],
) -> None:
    """Write a timestamp a server, nothing for a server without one."""
    # The hundred thousand lines of a large fleet come from here: one f-string each, nothing else.
    start = f'{family.name}{{account="{escape(account)}",key="{escape(key)}",server_id="'
    series.add_lines(
        family,
        [
            f'{start}{escape(server.server_id)}",ip="{escape(server.ip)}"}} {number(moment)}\n'
            for server in servers
            if (moment := time_of(server)) is not None
        ],
    )
