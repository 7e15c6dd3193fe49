"""The servers that the page can list: enough of the longest silent servers of each kind."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from cln_monitor.cln import LastCheckin

from .check_ins import CheckIns

MOST_SERVERS = 20
"""The maximum number of servers of a kind that the page lists."""

_Identity = tuple[str, str, float]
"""The identity of a server that has checked in: its key, its address, and its last check-in."""


class ListedServer(Protocol):
    """The attributes that all listed servers have."""

    @property
    def ip(self) -> str:
        """Its address."""

    @property
    def last_checkin(self) -> LastCheckin:
        """When it last checked in."""


class SilentServer(NamedTuple):
    """A server that may be silent. ``key`` is the label of its key, or the license of its address."""

    key: str
    server_id: str
    ip: str
    last_checkin: LastCheckin
    created: float | None

    @property
    def since(self) -> float:
        """The Unix time since which it is silent: its creation if it never checked in, infinity if unknown."""
        if self.last_checkin is None:
            return math.inf if self.created is None else self.created
        return self.last_checkin or math.inf


ServersOfKeys = Sequence[tuple[str, Sequence[ListedServer]]]


class Moments(NamedTuple):
    """Unix times: servers with a later check-in are not gone (``not_gone``), or newly silent (``newly``)."""

    not_gone: float
    newly: float


def longest_silent(
    servers_of: ServersOfKeys,
    check_ins: Sequence[CheckIns],
    moments: Moments,
    superseded: Collection[_Identity] = (),
) -> tuple[SilentServer, ...]:
    """Return the longest silent servers of ``servers_of``, whose check-ins are ``check_ins``.

    The result has up to ``MOST_SERVERS`` of each pool: all servers, those with a check-in since each of the
    ``moments``, those that never checked in, and those ``superseded``.
    """
    not_gone, newly = moments
    most = MOST_SERVERS + len(superseded)
    latest, latest_not_gone = _latest(check_ins, -math.inf, most), _latest(check_ins, not_gone, most)
    latest_newly = _latest(check_ins, newly, most)
    # A cheap filter first: only few servers can be in the result.
    candidates = [
        _silent(key, server)
        for key, servers in servers_of
        for server in servers
        if not server.last_checkin
        or server.last_checkin <= latest
        or not_gone <= server.last_checkin <= latest_not_gone
        or newly <= server.last_checkin <= latest_newly
    ]
    active = [server for server in candidates if (server.key, server.ip, server.last_checkin) not in superseded]
    checked_in = [(server.last_checkin or 0.0, server) for server in active if server.last_checkin]
    pools = (
        (server for _, server in checked_in),
        (server for moment, server in checked_in if moment >= not_gone),
        (server for moment, server in checked_in if moment >= newly),
        (server for server in active if server.last_checkin is None and server.created is not None),
        (server for server in active if server.last_checkin is None and server.created is None),
        _superseded(servers_of, superseded),
    )
    found = chain.from_iterable(heapq.nsmallest(MOST_SERVERS, pool, key=lambda server: server.since) for pool in pools)
    return tuple(sorted(dict.fromkeys(found), key=lambda server: server.since))


def _latest(check_ins: Iterable[CheckIns], start: float, most: int) -> float:
    """Return the latest of the first ``most`` check-ins since ``start``."""
    oldest: list[float] = []
    for group in check_ins:
        first = group.before(start)
        oldest += group.times[first : first + most]
    return max(sorted(oldest)[:most], default=-math.inf)


def _superseded(servers_of: ServersOfKeys, superseded: Collection[_Identity]) -> Iterator[SilentServer]:
    if superseded:
        addresses = {ip for _, ip, _ in superseded}
        for key, servers in servers_of:
            for server in servers:
                if server.ip in addresses and (key, server.ip, server.last_checkin) in superseded:
                    yield _silent(key, server)


def _silent(key: str, server: ListedServer) -> SilentServer:
    # An IP license has no ID, and CLN does not report when an Imunify server was registered.
    server_id, created = getattr(server, "server_id", ""), getattr(server, "created", None)
    return SilentServer(key, server_id, server.ip, server.last_checkin, created)
