"""How many servers of an account and product are silent, by the rows of the policy."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from cln_monitor import policy
from cln_monitor.policy import Silence

from .summary import CheckIns, Digest


@dataclass(frozen=True, slots=True)
class SilentServers:
    """Numbers of servers, each in one of them alone but for ``number``, which is all, and ``newly``, a part of others.

    ``whole_keys`` are the keys none of whose servers checks in any more.
    """

    number: int
    whole_keys: Sequence[tuple[str, Silence]]
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


def silent_servers(digest: Digest, now: float, stale_after: float) -> SilentServers:
    """Return how many servers of a ``digest`` are silent at ``now``, a Unix time."""
    off = {key.key for key in digest.keys if key.enabled is False}
    superseded = [each for each in policy.superseded(digest.shared, now, stale_after) if each.key not in off]
    left: dict[str, list[float]] = {}
    for each in superseded:
        left.setdefault(each.key, []).append(each.last_checkin)
    active = [(key.key, key.name, key.check_ins) for key in digest.keys if key.check_ins and key.enabled is not False]
    disabled = [key.check_ins for key in digest.keys if key.check_ins and key.enabled is False]
    if not digest.keys:
        active = [("", "", check_ins) for check_ins in digest.check_ins]
    stands = [
        (name, policy.silence_of(_without(check_ins.times, left.get(key, ())), now, stale_after))
        for key, name, check_ins in active
    ]
    return SilentServers(
        number=sum(check_ins.total for _, _, check_ins in active) - len(superseded),
        whole_keys=[(name, each) for name, each in stands if name and each.is_whole],
        newly=sum(each.newly for _, each in stands),
        silent=sum(each.silent for _, each in stands),
        gone=sum(each.gone for _, each in stands),
        superseded=len(superseded),
        disabled=sum(_silent(check_ins, now, stale_after) for check_ins in disabled),
        never=sum(check_ins.never_since(now - policy.NEVER_AFTER) for _, _, check_ins in active),
        undated=sum(check_ins.undated for _, _, check_ins in active),
    )


def _silent(check_ins: CheckIns, now: float, stale_after: float) -> int:
    """Return how many are silent, of those that checked in and of those that never did."""
    return check_ins.before(now - stale_after) + check_ins.never_since(now - policy.NEVER_AFTER) + check_ins.undated


def _without(times: Sequence[float], some: Sequence[float]) -> Sequence[float]:
    """Return ``times``, which are in order, without one of each of ``some``."""
    if not some:
        return times
    kept = list(times)
    for moment in some:
        del kept[bisect_left(kept, moment)]
    return kept
