"""What the page needs of an observation whatever the time: made once an observation, as a fleet can be large."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from cln_monitor import policy
from cln_monitor.cln import Limit
from cln_monitor.exporter.licenses import License, by_address, licenses_of
from cln_monitor.policy import Registration, Severity
from cln_monitor.probes import Observation, product_name

from .check_ins import CheckIns, check_ins_of
from .formatting import isolated, short
from .patched_hosts import PatchedHosts, patched_hosts
from .server_pools import MOST_SERVERS, Moments, ServersOfKeys, SilentServer, longest_silent


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
        return f'"{isolated(short(self.note))}" ({self.key})' if self.note else self.key

    @property
    def is_disabled(self) -> bool:
        """Whether CLN says that it is disabled."""
        return self.enabled is False

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
        return policy.KEY_DISABLED.severity if self.is_disabled else row.severity


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

    ``shared`` are the registrations of addresses that have several. ``unused`` are the licenses that no server uses,
    the oldest first, and ``undecided`` those of which CLN does not tell whether one does, of the first addresses each.
    """

    keys: tuple[KeyUse, ...] = ()
    licenses: tuple[LicenseUse, ...] = ()
    check_ins: tuple[CheckIns, ...] = ()
    longest: tuple[SilentServer, ...] = ()
    shared: tuple[Sequence[Registration], ...] = ()
    unused: tuple[License, ...] = ()
    undecided: tuple[License, ...] = ()
    patched: PatchedHosts = field(default_factory=PatchedHosts)


def digest(
    observation: Observation[Any], stale_after: float = math.inf, host_names: Mapping[str, str] | None = None
) -> Digest:
    """Return what the page needs of ``observation`` beside the observation itself.

    After ``stale_after`` seconds a server is silent: those that are superseded or newly so have places of their own
    among the servers that can be named. ``host_names`` are those of its servers by id: where two are of one address,
    they tell whether they are one.
    """
    if observation.probe == "kernelcare":
        return _kernelcare(observation, stale_after, host_names or {})
    make = _DIGESTS.get(observation.probe)
    return Digest() if make is None else make(observation, stale_after)


def _kernelcare(observation: Observation[Any], stale_after: float, host_names: Mapping[str, str]) -> Digest:
    keys = [part.value for part in observation.parts]
    shared = policy.shared_addresses(
        Registration(
            server.ip, server.last_checkin or None, server.created, k.key, host_names.get(server.server_id, "")
        )
        for k in keys
        for server in k.servers
        if server.last_checkin is not None
    )
    uses = [
        KeyUse("KernelCare", k.key, k.note, len(k.servers), k.limit, check_ins_of(k.servers), k.enabled) for k in keys
    ]
    return _of_keys(observation, stale_after, uses, keys, shared)


def _imunify(observation: Observation[Any], stale_after: float) -> Digest:
    keys = [part.value for part in observation.parts]
    uses = [
        # The list of keys tells the number in use itself; the larger one is what the next server runs into.
        KeyUse(
            *(_imunify_name(k.product), k.key, k.note, max(len(k.servers), k.servers_reported or 0), k.limit),
            check_ins_of(k.servers),
        )
        for k in keys
    ]
    return _of_keys(observation, stale_after, uses, keys)


def _imunify_name(code: str) -> str:
    name = product_name("imunify", code)
    return name if name != code else f"Imunify {code}"


def _of_keys(
    observation: Observation[Any],
    stale_after: float,
    uses: Sequence[KeyUse],
    keys: Sequence[Any],
    shared: Iterable[Sequence[Registration]] = (),
) -> Digest:
    shared = tuple(shared)
    now = observation.observed_at
    superseded = frozenset(
        (each.key, each.ip, each.last_checkin or 0.0) for each in policy.superseded(shared, now, stale_after)
    )
    off = {use.key for use in uses if use.is_disabled}
    pools = [
        longest_silent(
            [(key.key, key.servers) for key in keys if (key.key in off) is is_off],
            [use.check_ins for use in uses if use.check_ins is not None and use.is_disabled is is_off],
            _moments(observation, stale_after),
            frozenset() if is_off else frozenset(each for each in superseded if each[0] not in off),
        )
        for is_off in (False, True)
    ]
    return Digest(
        keys=tuple(uses),
        check_ins=tuple(use.check_ins for use in uses if use.check_ins is not None),
        longest=tuple(sorted((*pools[0], *pools[1]), key=lambda server: server.since)),
        shared=shared,
    )


def _moments(observation: Observation[Any], stale_after: float) -> Moments:
    # Where `stale_after` is longer than that, each silent server is one that is gone, and none is crowded out.
    now = observation.observed_at
    return Moments(now - policy.LONGEST_SILENCE, now - stale_after - policy.NEWLY_SILENT)


def _els(observation: Observation[Any], _: float) -> Digest:
    keys = []
    for part in observation.parts:
        used = Counter(server.key for server in part.value.servers)
        name = _els_name(part.value.product)
        keys += [KeyUse(name, key.key, key.note, used[key.key], key.limit) for key in part.value.keys]
    return Digest(tuple(keys))


def _els_name(code: str) -> str:
    name = product_name("els", code)
    return name if name != code else f"ELS {code.removeprefix('ELS ')}"


def _patch_status(observation: Observation[Any], _: float) -> Digest:
    return Digest(patched=patched_hosts(observation, MOST_SERVERS))


def _ip_licenses(observation: Observation[Any], stale_after: float) -> Digest:
    licenses = licenses_of(observation)
    by_type: defaultdict[str, Counter[bool | None]] = defaultdict(Counter)
    unused_since: defaultdict[str, list[float]] = defaultdict(list)
    for each in licenses:
        by_type[each.license][each.registered] += 1
        if each.registered is False:
            unused_since[each.license].append(each.created or 0.0)
    in_use = by_address(licenses)
    check_ins = (check_ins_of(in_use),) if in_use else ()
    of_addresses: ServersOfKeys = [(each.license, (each,)) for each in in_use]
    unused = sorted((each for each in licenses if each.registered is False), key=lambda each: each.created or 0.0)
    undecided = [each for each in licenses if each.registered is None]
    return Digest(
        licenses=tuple(
            LicenseUse(name, counts[True], counts[False], counts[None], tuple(sorted(unused_since[name])))
            for name, counts in by_type.items()
        ),
        check_ins=check_ins,
        longest=longest_silent(of_addresses, check_ins, _moments(observation, stale_after)),
        unused=_of_first_addresses(unused),
        undecided=_of_first_addresses(undecided),
    )


def _of_first_addresses(licenses: Sequence[License]) -> tuple[License, ...]:
    """Return all of the ``licenses`` that are of the first addresses, as many as the page names."""
    addresses = set(islice(dict.fromkeys(each.ip for each in licenses), MOST_SERVERS))
    return tuple(each for each in licenses if each.ip in addresses)


_DIGESTS: dict[str, Callable[[Observation[Any], float], Digest]] = {
    "imunify": _imunify,
    "els": _els,
    "ip_licenses": _ip_licenses,
    "patch_status": _patch_status,
}
