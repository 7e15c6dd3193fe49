"""The silent servers of an account and product: their numbers by row of the policy, and those that can be listed."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cln_monitor import policy
from cln_monitor.policy import Silence
from cln_monitor.registrations import find_superseded

from .check_ins import CheckIns
from .server_pools import SilentServer
from .summary import KeyUse, Summary


class Kind(Enum):
    """The kind of problem of a server; each server has at most one."""

    SILENT = "silent"
    NEVER = "never checked in"
    UNDATED = "not checked in yet"
    GONE = "gone"
    SUPERSEDED = "superseded"
    DISABLED = "silent on a disabled key"


@dataclass(frozen=True, slots=True)
class KeySilence:
    """The servers of a key: their ``number`` without superseded and disabled ones, and their ``counts`` by kind.

    ``use`` is the key, None for servers without a key.
    """

    use: KeyUse | None
    number: int
    silence: Silence
    counts: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class SilentServers:
    """The numbers of silent servers. Each server counts once, except in ``number`` (all) and ``newly`` (newly silent).

    ``long_silent`` are those that the policy calls gone; ``whole_keys`` are the keys without any server that checks in.
    """

    number: int
    whole_keys: Sequence[tuple[KeyUse, Silence]]
    newly: int
    silent: int
    long_silent: int
    superseded: int
    disabled: int
    never: int
    undated: int

    @property
    def bad(self) -> int:
        """The number of servers that need attention."""
        return self.silent + self.never

    @property
    def all(self) -> int:
        """The number of servers with any problem, including informational ones."""
        return self.bad + self.long_silent + self.superseded + self.disabled + self.undated


def sum_of(keys: Sequence[KeySilence]) -> SilentServers:
    """Return the numbers of silent servers of all ``keys`` together."""
    counts: Counter[Kind] = Counter()
    for key in keys:
        for kind, count in key.counts.items():
            counts[kind] += count
    return SilentServers(
        number=sum(key.number for key in keys),
        whole_keys=[(key.use, key.silence) for key in keys if key.use is not None and key.silence.is_whole],
        newly=sum(key.silence.newly for key in keys),
        silent=counts[Kind.SILENT],
        long_silent=counts[Kind.GONE],
        superseded=counts[Kind.SUPERSEDED],
        disabled=counts[Kind.DISABLED],
        never=counts[Kind.NEVER],
        undated=counts[Kind.UNDATED],
    )


def silence_of_keys(summary: Summary, now: float, stale_after: float) -> list[KeySilence]:
    """Return the silent servers of each key in ``summary`` at ``now``; if it has no keys, of all servers together."""
    superseded: dict[str, list[float]] = {}
    for registration in find_superseded(summary.shared, now, stale_after):
        superseded.setdefault(registration.key, []).append(registration.last_checkin or 0.0)
    if not summary.keys:
        return [_of_key(None, check_ins, (), now, stale_after) for check_ins in summary.check_ins]
    return [
        _of_key(key, key.check_ins, superseded.get(key.key, ()), now, stale_after)
        for key in summary.keys
        if key.check_ins is not None
    ]


def _of_key(
    use: KeyUse | None, check_ins: CheckIns, superseded: Sequence[float], now: float, stale_after: float
) -> KeySilence:
    if use is not None and use.is_disabled:
        return KeySilence(use, 0, Silence(0, 0, 0, 0, is_whole=False), _on_disabled(check_ins, now, stale_after))
    silence = policy.silence_of(_without(check_ins.times, superseded), now, stale_after)
    counts = {
        Kind.SILENT: silence.silent,
        Kind.NEVER: check_ins.never_since(now - policy.NEVER_AFTER),
        Kind.UNDATED: check_ins.undated,
        Kind.GONE: silence.long_silent,
        Kind.SUPERSEDED: len(superseded),
    }
    return KeySilence(use, check_ins.total - len(superseded), silence, counts)


def _on_disabled(check_ins: CheckIns, now: float, stale_after: float) -> Mapping[Kind, int]:
    """Return the number of silent servers of a disabled key, including those that never checked in."""
    never = check_ins.never_since(now - policy.NEVER_AFTER) + check_ins.undated
    return {Kind.DISABLED: check_ins.before(now - stale_after) + never}


def _without(times: Sequence[float], removed: Sequence[float]) -> Sequence[float]:
    """Return the sorted ``times`` without one occurrence of each of ``removed``."""
    if not removed:
        return times
    kept = list(times)
    for moment in removed:
        del kept[bisect_left(kept, moment)]
    return kept


def named_servers(summary: Summary, now: float, stale_after: float) -> dict[Kind, list[SilentServer]]:
    """Return the servers of each kind that ``summary`` can list, the longest silent first."""
    disabled = {key.key for key in summary.keys if key.is_disabled}
    superseded = {
        (registration.key, registration.ip, registration.last_checkin)
        for registration in find_superseded(summary.shared, now, stale_after)
    }
    gone_before = now - policy.gone_after(stale_after)
    named: dict[Kind, list[SilentServer]] = {kind: [] for kind in Kind}
    for server in summary.longest:
        kind = _kind(server, now, stale_after, gone_before)
        if kind is not None and server.key in disabled:
            kind = Kind.DISABLED
        elif kind is not None and (server.key, server.ip, server.last_checkin) in superseded:
            kind = Kind.SUPERSEDED
        if kind is not None:
            named[kind].append(server)
    return named


def _kind(server: SilentServer, now: float, stale_after: float, gone_before: float) -> Kind | None:
    """Return the kind of a server regardless of its key and other servers; None if it has no problem."""
    if server.last_checkin is None:
        if server.created is None:
            return Kind.UNDATED
        return Kind.NEVER if now - server.created > policy.NEVER_AFTER else None
    if not server.last_checkin or now - server.last_checkin <= stale_after:
        return None
    return Kind.GONE if server.last_checkin < gone_before else Kind.SILENT
