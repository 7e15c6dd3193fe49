"""What an answer can only be judged by with those before it: flags that vanish, lists that shrink."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cln_monitor import policy
from cln_monitor.cln import BadAnswer
from cln_monitor.probes import Caution, Failure, Missing, Observation, Run

HOUR, DAY = 3600.0, 86400.0
_FLAG_KEPT = 7 * DAY  # a flag that CLN has given up is told of that long
_APART = 300.0  # seconds between two counts that are kept
_LEAST_LOSS = 5
_LEAST_BEFORE = 2  # where there are none left

Sizes = Mapping[str, int]
"""The number of servers, or IP licenses, by product; ``""`` where a probe has but one."""


class History(msgspec.Struct, frozen=True):
    """What is kept of earlier runs: when each flag was told last, and how many servers each product had when.

    Times are Unix seconds, in order, and a day of them. ``shard`` is the part of the account that they are of: what
    another one has read says nothing of it.
    """

    shard: str = ""
    flags: dict[str, float] = {}
    counts: dict[str, list[tuple[float, int]]] = {}

    def after(self, seen: Observation[Any]) -> tuple[History, tuple[Caution, ...]]:
        """Return the history with what was ``seen``, and the cautions that it gives rise to.

        Of what was not seen whole nothing can be said, and nothing is kept.
        """
        if seen.failure is not None:
            return self, ()
        now = seen.observed_at
        told = {flag.name for part in seen.parts for flag in part.value} if seen.probe == "status" else set()
        flags = {name: at for name, at in self.flags.items() if now - at <= _FLAG_KEPT} | dict.fromkeys(told, now)
        sizes = sizes_of(seen)
        dropped = [
            caution for product, size in sizes.items() for caution in self._dropped(seen.probe, product, size, now)
        ]
        counts = {product: _with(self.counts.get(product, []), now, size) for product, size in sizes.items()}
        missing = Caution.of(policy.FLAG_MISSING, sorted(flags.keys() - told))
        return History(self.shard, flags, counts), (*missing, *dropped)

    def _dropped(self, probe: str, product: str, size: int, now: float) -> tuple[Caution, ...]:
        for window, name in ((HOUR, "1h"), (DAY, "1d")):
            before = next((count for at, count in reversed(self.counts.get(product, [])) if at <= now - window), 0)
            if _is_drop(before, size):
                fact = policy.SERVERS_DROPPED if size else policy.SERVERS_GONE
                return Caution.of(fact, [f"{product or probe} fell from {before} to {size} within {name}"])
        return ()


def _is_drop(before: int, now: int) -> bool:
    """Tell whether so many are far fewer than ``before``: more than half and at least 5 less, or none of 2 or more."""
    lost = before - now
    return (lost >= _LEAST_LOSS and 2 * lost > before) or (now == 0 and before >= _LEAST_BEFORE)


def _with(counts: list[tuple[float, int]], now: float, size: int) -> list[tuple[float, int]]:
    """Return ``counts`` with that of ``now``, one in five minutes, and the last from before the day is over."""
    kept = counts if counts and now - counts[-1][0] < _APART else [*counts, (now, size)]
    old = [place for place, (at, _) in enumerate(kept) if at <= now - DAY]
    return kept[old[-1] :] if old else kept


def sizes_of(seen: Observation[Any]) -> Sizes:
    """Return how many servers an observation has; nothing for a probe that lists none."""
    measure = _MEASURES.get(seen.probe)
    if measure is None:
        return {}
    sizes: dict[str, int] = {} if seen.probe == "els" else {"": 0}
    for part in seen.parts:
        product, size = measure(part.value)
        sizes[product] = sizes.get(product, 0) + size
    return sizes


_MEASURES: dict[str, Callable[[Any], tuple[str, int]]] = {
    "kernelcare": lambda key: ("", len(key.servers)),
    "imunify": lambda key: ("", len(key.servers)),
    "els": lambda product: (product.product, len(product.servers)),
    "ip_licenses": lambda some: ("", len(some.licenses)),
}


def what_fell(before: Observation[Any] | None, seen: Observation[Any]) -> dict[str, str]:
    """Return what fell from some to none, the list of keys (``""``) or the servers of a product, and how, in words."""
    if before is None or seen.failure is not None or seen.probe not in _MEASURES:
        return {}
    if before.parts and not seen.parts:
        return {"": f"the list of keys fell from {len(before.parts)} to none"}
    sizes, what = sizes_of(seen), "IP licenses" if seen.probe == "ip_licenses" else "servers"
    return {
        product: f"the {what}{product and f' of {product}'} fell from {size} to none"
        for product, size in sizes_of(before).items()
        if size and sizes.get(product) == 0
    }


def doubted(run: Run[Any], fallen: Mapping[str, str]) -> Run[Any]:
    """Return ``run`` as one that failed to read what has ``fallen``: such a list is believed at the second poll."""
    seen = run.observation
    failures = {
        product: Failure(BadAnswer.reason, f"{how}; waiting for a second poll") for product, how in fallen.items()
    }
    if "" in failures:
        changes: dict[str, Any] = {"parts": (), "missing": (Missing("", failures[""]),), "list_known": False}
        seen = msgspec.structs.replace(seen, empty=msgspec.UNSET, cautions=(), **changes)
    else:  # a part is a product
        parts = tuple(part for part in seen.parts if part.name not in failures)
        missing = tuple(Missing(product, failure) for product, failure in failures.items())
        seen = msgspec.structs.replace(seen, parts=parts, missing=missing)
    return msgspec.structs.replace(run, observation=seen)
