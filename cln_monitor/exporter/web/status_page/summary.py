"""What the page needs of an observation whatever the time: made once an observation, as a fleet can be large."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple, Protocol

from msgspec import UNSET

from cln_monitor import policy
from cln_monitor.cln import LastCheckin, Limit
from cln_monitor.exporter.licenses import by_address, licenses_of
from cln_monitor.policy import Registration, Severity
from cln_monitor.probes import Observation
from cln_monitor.text import shorten

_LONGEST_NOTE = 80
MOST_SERVERS = 15
"""How many servers the page names."""


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


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The last check-ins of servers: their ``times`` in order, how many ``never`` did, of how many it is ``unknown``.

    ``registered`` are the times, in order, at which those that never did were registered, as far as CLN tells.
    """

    times: Sequence[float]
    never: int
    unknown: int = 0
    registered: Sequence[float] = ()

    def before(self, moment: float) -> int:
        """Return how many servers checked in last before ``moment``."""
        return bisect_left(self.times, moment)

    def never_since(self, moment: float) -> int:
        """Return how many servers were registered before ``moment`` and never checked in."""
        return bisect_left(self.registered, moment)

    @property
    def undated(self) -> int:
        """How many never checked in and were registered nobody knows when."""
        return self.never - len(self.registered)

    @property
    def total(self) -> int:
        """The number of servers."""
        return len(self.times) + self.never + self.unknown


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key. ``product`` in words; ``enabled`` is None where CLN does not tell."""

    product: str
    key: str
    note: str
    used: int
    limit: Limit
    check_ins: CheckIns | None = None
    enabled: bool | None = None

    @property
    def name(self) -> str:
        """What people call it: its note, where it has one, and its label."""
        return f'"{shorten(self.note, _LONGEST_NOTE)}" ({self.key})' if self.note else self.key

    @property
    def fullness(self) -> float:
        """The part of the limit that is used, negative where there is no limit."""
        return self.used / self.most if self.most else -1.0

    @property
    def most(self) -> int:
        """Its limit where it has one that can be read, else 0."""
        return self.limit if isinstance(self.limit, int) else 0

    @property
    def is_full(self) -> bool:
        """Whether it refuses new servers."""
        return bool(self.most) and self.used >= self.most

    @property
    def severity(self) -> Severity | None:
        """How bad it is how full it is."""
        row = policy.key_fullness(self.used, self.most)
        if row is None or row.severity is None:
            return None
        return policy.KEY_DISABLED.severity if self.enabled is False else row.severity


@dataclass(frozen=True, slots=True)
class LicenseUse:
    """The IP licenses of a type: ``registered`` are used, ``unused`` are not; of ``unknown`` CLN does not tell.

    ``unused_since`` are the Unix times, in order, at which the unused ones were created, 0 where CLN does not tell.
    """

    license: str
    registered: int
    unused: int
    unknown: int
    unused_since: Sequence[float] = ()

    def unused_long(self, now: float) -> int:
        """Return how many no server uses, long after their creation."""
        return sum(policy.is_unused_long(created or None, now) for created in self.unused_since)


@dataclass(frozen=True, slots=True)
class Digest:
    """What is kept of an observation: its keys, its licenses, all check-ins, and the longest silent servers.

    ``shared`` are the registrations of addresses that have several.
    """

    keys: tuple[KeyUse, ...] = ()
    licenses: tuple[LicenseUse, ...] = ()
    check_ins: tuple[CheckIns, ...] = ()
    longest: tuple[SilentServer, ...] = ()
    shared: tuple[Sequence[Registration], ...] = ()


def digest(observation: Observation[Any]) -> Digest:
    """Return what the page needs of ``observation`` beside the observation itself."""
    make = _DIGESTS.get(observation.probe)
    return Digest() if make is None else make(observation)


def check_ins_of(servers: Sequence[ListedServer]) -> CheckIns:
    """Return the check-ins of ``servers``."""
    moments = [server.last_checkin for server in servers]
    times = sorted([moment for moment in moments if moment])
    unknown = moments.count(UNSET)
    never = len(moments) - len(times) - unknown
    registered = [getattr(each, "created", None) for each in servers if each.last_checkin is None] if never else []
    return CheckIns(times, never, unknown, sorted(moment for moment in registered if moment))


def longest_silent(
    servers_of: Sequence[tuple[str, Sequence[ListedServer]]], check_ins: Sequence[CheckIns], gone: float
) -> tuple[SilentServer, ...]:
    """Return the longest silent ones of the servers of each key, whose ``check_ins`` are known already.

    Those that checked in before ``gone``, a Unix time, do not crowd out the others: there are as many of these.
    """
    latest, latest_gone = _latest(check_ins, gone), _latest(check_ins, -math.inf)
    # Those that may be among them are few, and only they are looked at closely.
    candidates = [
        _silent(key, server)
        for key, servers in servers_of
        for server in servers
        if not server.last_checkin or server.last_checkin <= latest_gone or gone <= server.last_checkin <= latest
    ]
    others = [server for server in candidates if not server.last_checkin or server.last_checkin >= gone]
    found = (heapq.nsmallest(MOST_SERVERS, some, key=lambda server: server.since) for some in (candidates, others))
    return tuple(sorted(dict.fromkeys(chain.from_iterable(found)), key=lambda server: server.since))


def _latest(check_ins: Iterable[CheckIns], start: float) -> float:
    """Return the latest of the first check-ins since ``start``."""
    oldest: list[float] = []
    for each in check_ins:
        first = each.before(start)
        oldest += each.times[first : first + MOST_SERVERS]
    return max(sorted(oldest)[:MOST_SERVERS], default=-math.inf)


def _silent(key: str, server: ListedServer) -> SilentServer:
    # An IP license has no id, and when an Imunify server was registered CLN does not tell.
    server_id, created = getattr(server, "server_id", ""), getattr(server, "created", None)
    return SilentServer(key, server_id, server.ip, server.last_checkin, created)


def _kernelcare(observation: Observation[Any]) -> Digest:
    keys = [part.value for part in observation.parts]
    return _of_keys(
        observation,
        [
            KeyUse("KernelCare", k.key, k.note, len(k.servers), k.limit, check_ins_of(k.servers), k.enabled)
            for k in keys
        ],
        keys,
        policy.shared_addresses(
            Registration(server.ip, server.last_checkin, server.created, k.key)
            for k in keys
            for server in k.servers
            if server.last_checkin
        ),
    )


def _imunify(observation: Observation[Any]) -> Digest:
    keys = [part.value for part in observation.parts]
    return _of_keys(
        observation,
        [
            # The list of keys tells the number in use itself; the larger one is what the next server runs into.
            KeyUse(
                *(f"Imunify {k.product}", k.key, "", max(len(k.servers), k.servers_reported or 0), k.limit),
                check_ins_of(k.servers),
            )
            for k in keys
        ],
        keys,
    )


def _of_keys(
    observation: Observation[Any],
    uses: Sequence[KeyUse],
    keys: Sequence[Any],
    shared: Iterable[Sequence[Registration]] = (),
) -> Digest:
    check_ins = tuple(use.check_ins for use in uses if use.check_ins is not None)
    return Digest(
        keys=tuple(uses),
        check_ins=check_ins,
        longest=longest_silent([(key.key, key.servers) for key in keys], check_ins, _gone(observation)),
        shared=tuple(shared),
    )


def _gone(observation: Observation[Any]) -> float:
    # Where `stale_after` is longer, each silent server is one that is gone, and none is crowded out.
    return observation.observed_at - policy.LONGEST_SILENCE


def _els(observation: Observation[Any]) -> Digest:
    keys = []
    for part in observation.parts:
        used = Counter(server.key for server in part.value.servers)
        keys += [
            KeyUse(f"ELS {part.value.product.removeprefix('ELS ')}", key.key, "", used[key.key], key.limit)
            for key in part.value.keys
        ]
    return Digest(tuple(keys))


def _ip_licenses(observation: Observation[Any]) -> Digest:
    licenses = licenses_of(observation)
    by_type: defaultdict[str, Counter[bool | None]] = defaultdict(Counter)
    unused_since: defaultdict[str, list[float]] = defaultdict(list)
    for each in licenses:
        by_type[each.license][each.registered] += 1
        if each.registered is False:
            unused_since[each.license].append(each.created or 0.0)
    in_use = by_address(licenses)
    check_ins = (check_ins_of(in_use),) if in_use else ()
    return Digest(
        licenses=tuple(
            LicenseUse(name, counts[True], counts[False], counts[None], tuple(sorted(unused_since[name])))
            for name, counts in by_type.items()
        ),
        check_ins=check_ins,
        longest=longest_silent([(each.license, (each,)) for each in in_use], check_ins, _gone(observation)),
    )


_DIGESTS: dict[str, Callable[[Observation[Any]], Digest]] = {
    "kernelcare": _kernelcare,
    "imunify": _imunify,
    "els": _els,
    "ip_licenses": _ip_licenses,
}
