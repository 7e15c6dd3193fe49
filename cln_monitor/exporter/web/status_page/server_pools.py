"""The servers that the page may name: the longest silent ones of a fleet, of each kind enough."""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

from cln_monitor.cln import LastCheckin

from .check_ins import CheckIns

MOST_SERVERS = 20
"""How many servers of a kind the page names."""

_Identity = tuple[str, str, float]
"""What tells a server apart that has checked in: its key, its address and its last check-in."""


class ListedServer(Protocol):
    """What can be told of each server."""

    @property
    def ip(self) -> str:
        """Its address."""

    @property
    def last_checkin(self) -> LastCheckin:
        """When it last checked in."""


class SilentServer(NamedTuple):
    """A server by how long it has been silent. ``key`` is its key's label, or the license of its address."""

    key: str
    server_id: str
    ip: str
    last_checkin: LastCheckin
    created: float | None

    @property
    def since(self) -> float:
        """From when on CLN has not heard of it: its creation if it never checked in, infinity where that is unknown."""
        if self.last_checkin is None:
            return math.inf if self.created is None else self.created
        return self.last_checkin or math.inf


ServersOfKeys = Sequence[tuple[str, Sequence[ListedServer]]]


class Moments(NamedTuple):
    """Unix times from which on servers must not be crowded out by those silent for longer: ``gone`` and ``newly``."""

    gone: float
    newly: float


def longest_silent(
    servers_of: ServersOfKeys,
    check_ins: Sequence[CheckIns],
    moments: Moments,
    superseded: Collection[_Identity] = (),
) -> tuple[SilentServer, ...]:
    """Return the longest silent ones of the servers of each key, whose ``check_ins`` are known already.

    There are as many of those that checked in since each of the ``moments``, of those that never did, and of those
    ``superseded``.
    """
    gone, newly = moments
    most = MOST_SERVERS + len(superseded)
    latest, latest_gone = _latest(check_ins, -math.inf, most), _latest(check_ins, gone, most)
    latest_newly = _latest(check_ins, newly, most)
    # Those that may be among them are few, and only they are looked at closely.
    candidates = [
        _silent(key, server)
        for key, servers in servers_of
        for server in servers
        if not server.last_checkin
        or server.last_checkin <= latest
        or gone <= server.last_checkin <= latest_gone
        or newly <= server.last_checkin <= latest_newly
    ]
    active = [each for each in candidates if (each.key, each.ip, each.last_checkin) not in superseded]
    seen = [(each.last_checkin or 0.0, each) for each in active if each.last_checkin]
    pools = (
        (each for _, each in seen),
        (each for moment, each in seen if moment >= gone),
        (each for moment, each in seen if moment >= newly),
        (each for each in active if each.last_checkin is None and each.created is not None),
        (each for each in active if each.last_checkin is None and each.created is None),
        _superseded(servers_of, superseded),
    )
    found = chain.from_iterable(heapq.nsmallest(MOST_SERVERS, pool, key=lambda server: server.since) for pool in pools)
    return tuple(sorted(dict.fromkeys(found), key=lambda server: server.since))


def _latest(check_ins: Iterable[CheckIns], start: float, most: int) -> float:
    """Return the latest of the first ``most`` check-ins since ``start``."""
    oldest: list[float] = []
    for each in check_ins:
        first = each.before(start)
        oldest += each.times[first : first + most]
    return max(sorted(oldest)[:most], default=-math.inf)


def _superseded(servers_of: ServersOfKeys, superseded: Collection[_Identity]) -> Iterator[SilentServer]:
    if superseded:
        addresses = {ip for _, ip, _ in superseded}
        for key, servers in servers_of:
            for server in servers:
                if server.ip in addresses and (key, server.ip, server.last_checkin) in superseded:
                    yield _silent(key, server)


def _silent(key: str, server: ListedServer) -> SilentServer:
    # An IP license has no id, and when an Imunify server was registered CLN does not tell.
    server_id, created = getattr(server, "server_id", ""), getattr(server, "created", None)
    return SilentServer(key, server_id, server.ip, server.last_checkin, created)
