"""What the page needs of an observation whatever the time: made once an observation, as a fleet can be large."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, Protocol

from cln_monitor.exporter.licenses import licenses_of
from cln_monitor.probes import Observation

NEARLY_FULL = 0.95
"""Of a key's limit; the alert ClnKeyNearlyFull has the same."""
MOST_SERVERS = 15
"""How many servers the page names."""


class Server(Protocol):
    """What can be told of each server."""

    @property
    def last_checkin(self) -> float | None:
        """When it last checked in, None for never."""


class SilentServer(NamedTuple):
    """A server by how long it has been silent. ``key`` is its key's label, or the licence of its address."""

    key: str
    server_id: str
    ip: str
    last_checkin: float | None
    created: float | None

    @property
    def since(self) -> float:
        """From when on CLN has not heard of it: its creation if it never checked in, infinity where that is unknown."""
        if self.last_checkin is not None:
            return self.last_checkin
        return math.inf if self.created is None else self.created


@dataclass(frozen=True, slots=True)
class CheckIns:
    """The last check-ins of servers: their ``times`` in order, how many ``never`` did, the ``longest`` silent ones."""

    times: Sequence[float]
    never: int
    longest: tuple[SilentServer, ...]

    def before(self, moment: float) -> int:
        """Return how many servers checked in last before ``moment``."""
        return bisect_left(self.times, moment)

    @property
    def total(self) -> int:
        """The number of servers."""
        return len(self.times) + self.never


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key. ``product`` in words; ``limit`` 0 for unlimited, None when not told."""

    product: str
    key: str
    note: str
    used: int
    limit: int | None
    check_ins: CheckIns | None = None

    @property
    def fullness(self) -> float:
        """The part of the limit that is used, negative where there is no limit."""
        return self.used / self.limit if self.limit else -1.0

    @property
    def is_full(self) -> bool:
        """Whether it refuses new servers."""
        return self.fullness >= 1

    @property
    def is_nearly_full(self) -> bool:
        """Whether it is full, or as good as."""
        return self.fullness >= NEARLY_FULL


@dataclass(frozen=True, slots=True)
class LicenseUse:
    """The IP licences of a type: ``registered`` ones are used, the others only paid for."""

    license: str
    registered: int
    unused: int


@dataclass(frozen=True, slots=True)
class Digest:
    """What is kept of an observation."""

    keys: tuple[KeyUse, ...] = ()
    licenses: tuple[LicenseUse, ...] = ()
    check_ins: tuple[CheckIns, ...] = ()


def digest(observation: Observation[Any]) -> Digest:
    """Return what the page needs of ``observation`` beside the observation itself."""
    make = _DIGESTS.get(observation.probe)
    return Digest() if make is None else make(observation)


def check_ins_of(servers: Sequence[Server], silent: Callable[[Any], SilentServer]) -> CheckIns:
    """Return the check-ins of ``servers``; ``silent`` makes one of them what the page names."""
    times = sorted([server.last_checkin for server in servers if server.last_checkin is not None])
    # Those that may be among the longest silent are few, and only they are looked at closely.
    latest = times[min(MOST_SERVERS, len(times)) - 1] if times else -math.inf
    candidates = [server for server in servers if server.last_checkin is None or server.last_checkin <= latest]
    longest = heapq.nsmallest(MOST_SERVERS, map(silent, candidates), key=lambda server: server.since)
    return CheckIns(times, len(servers) - len(times), tuple(longest))


def _kernelcare(observation: Observation[Any]) -> Digest:
    keys = []
    for key in (part.value for part in observation.parts):
        check_ins = check_ins_of(key.servers, partial(_silent, key.key))
        keys.append(KeyUse("KernelCare", key.key, key.note, len(key.servers), key.limit, check_ins))
    return _of_keys(keys)


def _imunify(observation: Observation[Any]) -> Digest:
    keys = []
    for key in (part.value for part in observation.parts):
        check_ins = check_ins_of(key.servers, partial(_silent, key.key))
        keys.append(KeyUse(f"Imunify {key.product}", key.key, "", len(key.servers), key.limit, check_ins))
    return _of_keys(keys)


def _silent(key: str, server: Any) -> SilentServer:
    created = getattr(server, "created", None)  # of Imunify servers CLN does not tell it
    return SilentServer(key, server.server_id, server.ip, server.last_checkin, created)


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
    by_type: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for each in licenses:
        by_type[each.license][each.registered] += 1
    check_ins = check_ins_of(
        [each for each in licenses if each.registered],
        lambda each: SilentServer(each.license, "", each.ip, each.last_checkin, each.created),
    )
    return Digest(
        licenses=tuple(LicenseUse(name, counts[True], counts[False]) for name, counts in by_type.items()),
        check_ins=(check_ins,) if licenses else (),
    )


def _of_keys(keys: list[KeyUse]) -> Digest:
    return Digest(tuple(keys), check_ins=tuple(key.check_ins for key in keys if key.check_ins is not None))


_DIGESTS: dict[str, Callable[[Observation[Any]], Digest]] = {
    "kernelcare": _kernelcare,
    "imunify": _imunify,
    "els": _els,
    "ip_licenses": _ip_licenses,
}
