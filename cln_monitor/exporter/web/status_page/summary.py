"""The summary of an observation for the status page, computed once per observation, since fleets can be large."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, NamedTuple

from cln_monitor import facts, policy
from cln_monitor.cln import Limit
from cln_monitor.exporter.licenses import License, by_address, licenses_of
from cln_monitor.policy import Severity
from cln_monitor.probes import Observation, product_title, shared_registrations
from cln_monitor.registrations import Registration, find_superseded

from .check_ins import CheckIns, check_ins_of
from .formatting import isolated, short
from .patched_hosts import PatchedHosts, patched_hosts
from .server_pools import MOST_SERVERS, Moments, ServersOfKeys, SilentServer, longest_silent


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key and its usage. ``product`` is a display name; ``enabled`` is None if CLN does not report it."""

    product: str
    key: str
    note: str
    used: int
    limit: Limit
    check_ins: CheckIns | None = None
    enabled: bool | None = None

    @property
    def name(self) -> str:
        """Its note, if it has one, and its label."""
        return f'"{isolated(short(self.note))}" ({self.key})' if self.note else self.key

    @property
    def is_disabled(self) -> bool:
        """Whether CLN reports it as disabled."""
        return self.enabled is False

    @property
    def fullness(self) -> float:
        """The used share of the limit, negative without a limit."""
        return self.used / self.most if self.most else -1.0

    @property
    def most(self) -> int:
        """Its limit, 0 if it has none or an unreadable one."""
        return self.limit if isinstance(self.limit, int) else 0

    @property
    def is_full(self) -> bool:
        """Whether its limit is reached, so that new servers cannot register."""
        return bool(self.most) and self.used >= self.most

    @property
    def severity(self) -> Severity | None:
        """The severity of its fullness, None if it is not a problem."""
        row = policy.key_fullness(self.used, self.most)
        if row is None or row.severity is None:
            return None
        return policy.KEY_DISABLED.severity if self.is_disabled else row.severity


@dataclass(frozen=True, slots=True)
class LicenseUse:
    """The number of IP licenses of a type that are ``registered``, ``unused``, or ``unknown``.

    ``unused_since`` are the sorted creation times of the unused ones, in Unix time, 0 if unknown.
    """

    license: str
    registered: int
    unused: int
    unknown: int
    unused_since: Sequence[float] = ()

    def unused_long(self, now: float) -> int:
        """Return how many have been unused for long after their creation."""
        return sum(policy.is_unused_long(created or None, now) for created in self.unused_since)


@dataclass(frozen=True, slots=True)
class Summary:
    """The summary of an observation: its keys, licenses, check-ins, and the longest silent servers.

    ``shared`` are the registrations of addresses with several of them. ``unused`` are the licenses that no server uses,
    the oldest first, and ``undecided`` those with unknown use, both limited to the first addresses.
    ``without_check_ins`` is the number of servers whose check-ins CLN does not report in its older revision.
    """

    keys: tuple[KeyUse, ...] = ()
    licenses: tuple[LicenseUse, ...] = ()
    check_ins: tuple[CheckIns, ...] = ()
    longest: tuple[SilentServer, ...] = ()
    shared: tuple[Sequence[Registration], ...] = ()
    unused: tuple[License, ...] = ()
    undecided: tuple[License, ...] = ()
    without_check_ins: int = 0
    patched: PatchedHosts = field(default_factory=PatchedHosts)


def summarize(
    observation: Observation[Any], stale_after: float = math.inf, host_names: Mapping[str, str] | None = None
) -> Summary:
    """Return the summary of ``observation``.

    A server is silent after ``stale_after`` seconds. The servers to list include enough superseded and newly silent
    ones. ``host_names`` maps server IDs to host names, which decide whether two registrations of one address are the
    same server.
    """
    if observation.probe == "kernelcare":
        return _kernelcare(observation, stale_after, host_names or {})
    make = _SUMMARIZERS.get(observation.probe)
    return Summary() if make is None else make(observation, stale_after)


def _kernelcare(observation: Observation[Any], stale_after: float, host_names: Mapping[str, str]) -> Summary:
    keys = [part.value for part in observation.parts]
    shared = shared_registrations(keys, host_names)
    uses = [
        KeyUse("KernelCare", k.key, k.note, len(k.servers), k.limit, check_ins_of(k.servers), k.enabled) for k in keys
    ]
    return _of_keys(observation, stale_after, uses, keys, shared)


def _imunify(observation: Observation[Any], stale_after: float) -> Summary:
    keys = [part.value for part in observation.parts]
    uses = [
        # The key list has its own number of servers; the larger number limits the next registration.
        KeyUse(
            *(
                product_title("imunify", k.product),
                k.key,
                k.note,
                max(len(k.servers), k.servers_reported or 0),
                k.limit,
            ),
            check_ins_of(k.servers),
        )
        for k in keys
    ]
    return _of_keys(observation, stale_after, uses, keys)


def _of_keys(
    observation: Observation[Any],
    stale_after: float,
    uses: Sequence[KeyUse],
    keys: Sequence[Any],
    shared: Iterable[Sequence[Registration]] = (),
) -> Summary:
    shared = tuple(shared)
    now = observation.observed_at
    superseded = frozenset(
        (entry.key, entry.ip, entry.last_checkin or 0.0) for entry in find_superseded(shared, now, stale_after)
    )
    disabled = {use.key for use in uses if use.is_disabled}
    pools = [
        longest_silent(
            [(key.key, key.servers) for key in keys if (key.key in disabled) is is_disabled],
            [use.check_ins for use in uses if use.check_ins is not None and use.is_disabled is is_disabled],
            _moments(observation, stale_after),
            frozenset() if is_disabled else frozenset(entry for entry in superseded if entry[0] not in disabled),
        )
        for is_disabled in (False, True)
    ]
    return Summary(
        keys=tuple(uses),
        check_ins=tuple(use.check_ins for use in uses if use.check_ins is not None),
        longest=tuple(sorted((*pools[0], *pools[1]), key=lambda server: server.since)),
        shared=shared,
    )


def _moments(observation: Observation[Any], stale_after: float) -> Moments:
    # If `stale_after` is longer, every silent server is gone, and none can be crowded out.
    now = observation.observed_at
    return Moments(now - policy.LONGEST_SILENCE, now - stale_after - policy.NEWLY_SILENT)


class _ServersOfKey(NamedTuple):
    """The servers of a key, for products whose servers are listed for all keys together."""

    key: str
    servers: Sequence[Any]


def _els(observation: Observation[Any], stale_after: float) -> Summary:
    uses, keys, without_check_ins = [], [], 0
    for part in observation.parts:
        by_key: defaultdict[str, list[Any]] = defaultdict(list)
        for server in part.value.servers:
            by_key[server.key].append(server)
        name = product_title("els", part.value.product)
        for key in part.value.keys:
            servers = by_key[key.key]
            uses.append(KeyUse(name, key.key, key.note, len(servers), key.limit, check_ins_of(servers)))
            keys.append(_ServersOfKey(key.key, servers))
            if any(caution.fact == facts.CHECKIN_NOT_TOLD for caution in part.cautions):
                without_check_ins += len(servers)
    return replace(_of_keys(observation, stale_after, uses, keys), without_check_ins=without_check_ins)


def _cloudlinux(observation: Observation[Any], _: float) -> Summary:
    keys = []
    for part in observation.parts:
        name = product_title("cloudlinux", part.value.product)
        used = Counter(server.key for server in part.value.servers)
        keys += [KeyUse(name, key.key, key.note, used[key.key], key.limit) for key in part.value.keys]
    return Summary(keys=tuple(keys))


def _patch_status(observation: Observation[Any], _: float) -> Summary:
    return Summary(patched=patched_hosts(observation, MOST_SERVERS))


def _ip_licenses(observation: Observation[Any], stale_after: float) -> Summary:
    licenses = licenses_of(observation)
    by_type: defaultdict[str, Counter[bool | None]] = defaultdict(Counter)
    unused_since: defaultdict[str, list[float]] = defaultdict(list)
    for license_ in licenses:
        by_type[license_.license][license_.registered] += 1
        if license_.registered is False:
            unused_since[license_.license].append(license_.created or 0.0)
    in_use = by_address(licenses)
    check_ins = (check_ins_of(in_use),) if in_use else ()
    of_addresses: ServersOfKeys = [(license_.license, (license_,)) for license_ in in_use]
    unused = sorted(
        (license_ for license_ in licenses if license_.registered is False),
        key=lambda license_: license_.created or 0.0,
    )
    undecided = [license_ for license_ in licenses if license_.registered is None]
    return Summary(
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
    """Return the ``licenses`` of the first ``MOST_SERVERS`` addresses."""
    addresses = set(islice(dict.fromkeys(license_.ip for license_ in licenses), MOST_SERVERS))
    return tuple(license_ for license_ in licenses if license_.ip in addresses)


_SUMMARIZERS: dict[str, Callable[[Observation[Any], float], Summary]] = {
    "imunify": _imunify,
    "els": _els,
    "cloudlinux": _cloudlinux,
    "ip_licenses": _ip_licenses,
    "patch_status": _patch_status,
}
