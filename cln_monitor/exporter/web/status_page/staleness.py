"""How many servers of an account and product are silent, by the rows of the policy, and which the page can name."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cln_monitor import policy
from cln_monitor.policy import Silence

from .check_ins import CheckIns
from .server_pools import SilentServer
from .summary import Digest, KeyUse


class Kind(Enum):
    """Why a server is worth a word; each is in one of them alone."""

    SILENT = "silent"
    NEVER = "never checked in"
    UNDATED = "not checked in yet"
    GONE = "gone"
    SUPERSEDED = "superseded"
    DISABLED = "silent on a disabled key"


@dataclass(frozen=True, slots=True)
class KeySilence:
    """The servers of a key: ``number`` of them, those superseded or on a disabled key left out, and ``counts`` by kind.

    ``use`` is the key, None for servers without one.
    """

    use: KeyUse | None
    number: int
    silence: Silence
    counts: Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class SilentServers:
    """Numbers of servers, each in one of them alone but for ``number``, which is all, and ``newly``, a part of others.

    ``whole_keys`` are the keys none of whose servers checks in any more.
    """

    number: int
    whole_keys: Sequence[tuple[KeyUse, Silence]]
    newly: int
    silent: int
    gone: int
    superseded: int
    disabled: int
    never: int
    undated: int

    @property
    def bad(self) -> int:
        """How many an operator would look after."""
        return self.silent + self.never

    @property
    def all(self) -> int:
        """How many there are, those that are only worth a word among them."""
        return self.bad + self.gone + self.superseded + self.disabled + self.undated


def sum_of(keys: Sequence[KeySilence]) -> SilentServers:
    """Return how many servers of all ``keys`` are silent."""
    counts: Counter[Kind] = Counter()
    for each in keys:
        for kind, count in each.counts.items():
            counts[kind] += count
    return SilentServers(
        number=sum(each.number for each in keys),
        whole_keys=[(each.use, each.silence) for each in keys if each.use is not None and each.silence.is_whole],
        newly=sum(each.silence.newly for each in keys),
        silent=counts[Kind.SILENT],
        gone=counts[Kind.GONE],
        superseded=counts[Kind.SUPERSEDED],
        disabled=counts[Kind.DISABLED],
        never=counts[Kind.NEVER],
        undated=counts[Kind.UNDATED],
    )


def silence_of_keys(digest: Digest, now: float, stale_after: float) -> list[KeySilence]:
    """Return how the servers of each key of a ``digest`` stand at ``now``, or all of them where it has no keys."""
    superseded: dict[str, list[float]] = {}
    for each in policy.superseded(digest.shared, now, stale_after):
        superseded.setdefault(each.key, []).append(each.last_checkin or 0.0)
    if not digest.keys:
        return [_of_key(None, check_ins, (), now, stale_after) for check_ins in digest.check_ins]
    return [
        _of_key(key, key.check_ins, superseded.get(key.key, ()), now, stale_after)
        for key in digest.keys
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
    """Return how many are silent, of those that checked in and of those that never did."""
    never = check_ins.never_since(now - policy.NEVER_AFTER) + check_ins.undated
    return {Kind.DISABLED: check_ins.before(now - stale_after) + never}


def _without(times: Sequence[float], some: Sequence[float]) -> Sequence[float]:
    """Return ``times``, which are in order, without one of each of ``some``."""
    if not some:
        return times
    kept = list(times)
    for moment in some:
        del kept[bisect_left(kept, moment)]
    return kept


def named_servers(digest: Digest, now: float, stale_after: float) -> dict[Kind, list[SilentServer]]:
    """Return the servers of each kind that a ``digest`` can name, the longest silent first."""
    off = {key.key for key in digest.keys if key.is_disabled}
    superseded = {(each.key, each.ip, each.last_checkin) for each in policy.superseded(digest.shared, now, stale_after)}
    gone = now - policy.gone_after(stale_after)
    named: dict[Kind, list[SilentServer]] = {kind: [] for kind in Kind}
    for server in digest.longest:
        kind = _kind(server, now, stale_after, gone)
        if kind is not None and server.key in off:
            kind = Kind.DISABLED
        elif kind is not None and (server.key, server.ip, server.last_checkin) in superseded:
            kind = Kind.SUPERSEDED
        if kind is not None:
            named[kind].append(server)
    return named


def _kind(server: SilentServer, now: float, stale_after: float, gone: float) -> Kind | None:
    """Return the kind of a server, its key and other servers aside; None where it is well or has time to check in."""
    if server.last_checkin is None:
        if server.created is None:
            return Kind.UNDATED
        return Kind.NEVER if now - server.created > policy.NEVER_AFTER else None
    if not server.last_checkin or now - server.last_checkin <= stale_after:
        return None
    return Kind.GONE if server.last_checkin < gone else Kind.SILENT
