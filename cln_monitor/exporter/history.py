"""What an answer can only be judged by with those before it: flags that vanish, lists that shrink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from cln_monitor import facts
from cln_monitor.cln import BadAnswerError
from cln_monitor.probes import Caution, Failure, Missing, Observation, Run

HOUR, DAY = 3600.0, 86400.0
_FLAG_KEPT = 7 * DAY  # a flag that CLN has given up is told of that long
_APART = 300.0  # seconds between two counts that are kept
_LEAST_LOSS = 5
_LEAST_BEFORE = 2  # where there are none left
_SLACK = HOUR  # by which a count may be older than the hour or the day that it stands for

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
        missing = Caution.for_names(facts.FLAG_MISSING, sorted(flags.keys() - told))
        return History(self.shard, flags, counts), (*missing, *dropped)

    def _dropped(self, probe: str, product: str, size: int, now: float) -> tuple[Caution, ...]:
        counts = self.counts.get(product, [])
        if size == 0:
            most = max((count for at, count in counts if now - at <= DAY + _SLACK), default=0)
            gone = [f"{product or probe} fell from {most} to 0 within 1d"] if most >= _LEAST_BEFORE else []
            return Caution.for_names(facts.SERVERS_GONE, gone)
        for window, name in ((HOUR, "1h"), (DAY, "1d")):
            before = next((count for at, count in reversed(counts) if window <= now - at <= window + _SLACK), 0)
            if before - size >= _LEAST_LOSS and 2 * (before - size) > before:
                return Caution.for_names(
                    facts.SERVERS_DROPPED, [f"{product or probe} fell from {before} to {size} within {name}"]
                )
        return ()


def _with(counts: list[tuple[float, int]], now: float, size: int) -> list[tuple[float, int]]:
    """Return ``counts`` of a day with that of ``now``, one in five minutes."""
    kept = counts if counts and now - counts[-1][0] < _APART else [*counts, (now, size)]
    return [(at, count) for at, count in kept if now - at <= DAY + _SLACK]


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
    "els": lambda product: (product.product, _of_keys(product)),
    "ip_licenses": lambda some: ("", len(some.licenses)),
}


def _of_keys(product: Any) -> int:
    """Return how many servers the listed keys of an ELS product have, as the metrics do."""
    keys = {key.key for key in product.keys}
    return sum(server.key in keys for server in product.servers)


_NOUNS = {"ip_licenses": "IP licenses"}


class Fall(NamedTuple):
    """A list that fell to none: the ``part`` that is it, empty for the list of all, and how, in words."""

    part: str
    text: str


def what_fell(before: Observation[Any] | None, seen: Observation[Any]) -> list[Fall]:
    """Return which lists fell from some to none: that of the keys, or all servers, of the account or of a product."""
    if before is None or seen.failure is not None or seen.probe not in _MEASURES:
        return []
    old, new = _lists(before), _lists(seen)
    return [
        Fall(part, f"{what} fell from {count} to none")
        for (part, what), count in old.items()
        if count and new.get((part, what), 0 if not part else count) == 0
    ]


def _lists(seen: Observation[Any]) -> dict[tuple[str, str], int]:
    """Return how long each list is, by the part that it is and in words."""
    if seen.probe == "els":
        keys = {(part.name, f"the list of keys of {part.name}"): len(part.value.keys) for part in seen.parts}
        return keys | {(part.name, f"the servers of {part.name}"): len(part.value.servers) for part in seen.parts}
    lists = {("", f"the {_NOUNS.get(seen.probe, 'servers')}"): sum(sizes_of(seen).values())}
    return lists if seen.probe == "ip_licenses" else {("", "the list of keys"): len(seen.parts)} | lists


def doubted(run: Run[Any], fallen: Iterable[Fall]) -> Run[Any]:
    """Return ``run`` as one that failed to read what has ``fallen``: such a list is believed at the second poll."""
    seen = run.observation
    failures = {
        fall.part: Failure(BadAnswerError.reason, f"{fall.text}; waiting for a second poll")
        for fall in reversed(list(fallen))
    }
    if "" in failures:
        changes: dict[str, Any] = {"parts": (), "missing": (Missing("", failures[""]),), "list_known": False}
        seen = msgspec.structs.replace(seen, empty=msgspec.UNSET, cautions=(), **changes)
    else:  # a part is a product
        parts = tuple(part for part in seen.parts if part.name not in failures)
        missing = tuple(Missing(product, failure) for product, failure in failures.items())
        seen = msgspec.structs.replace(seen, parts=parts, missing=missing)
    return msgspec.structs.replace(run, observation=seen)
