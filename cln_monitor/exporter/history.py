"""Anomalies that show only in comparison with earlier responses: missing flags, shrinking lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from cln_monitor import facts
from cln_monitor.cln import BadAnswerError
from cln_monitor.probes import BY_PRODUCT, Caution, Failure, Missing, Observation, Part, Run

HOUR, DAY = 3600.0, 86400.0
_FLAG_MAX_AGE = 7 * DAY  # how long a flag that CLN no longer reports is a problem
_MIN_DISTANCE = 300.0  # seconds between two recorded counts
_MIN_LOSS = 5
_MIN_BEFORE = 2  # for a drop to 0
_SLACK = HOUR  # by which the count of an hour or a day ago may be older

Sizes = Mapping[str, int]
"""The number of servers, or of IP licenses, by product; by ``""`` for a probe with a single product."""


class History(msgspec.Struct, frozen=True):
    """The history of earlier runs: when each flag was last reported, and the numbers of servers over the last day.

    ``counts`` are by product, as pairs of a time and a number in the order of time; times are Unix seconds. ``shard``
    is the shard that read them, as other shards read other parts of the account. ``checkins`` are the times at which
    CLN last reported check-ins of an ELS product, which its older revision never does.
    """

    shard: str = ""
    flags: dict[str, float] = {}
    counts: dict[str, list[tuple[float, int]]] = {}
    checkins: dict[str, float] = {}

    def updated_with(self, observation: Observation[Any]) -> tuple[History, tuple[Caution, ...]]:
        """Return the history including ``observation``, and the cautions that result from the comparison.

        An incomplete observation cannot be compared, and changes nothing.
        """
        if observation.failure is not None:
            return self, ()
        now = observation.observed_at
        reported = (
            {flag.name for part in observation.parts for flag in part.value} if observation.probe == "status" else set()
        )
        flags = {name: at for name, at in self.flags.items() if now - at <= _FLAG_MAX_AGE} | dict.fromkeys(
            reported, now
        )
        sizes = sizes_of(observation)
        dropped = [
            caution
            for product, size in sizes.items()
            for caution in self._dropped(observation.probe, product, size, now)
        ]
        counts = {product: _with(self.counts.get(product, []), now, size) for product, size in sizes.items()}
        missing = Caution.for_names(facts.FLAG_MISSING, sorted(flags.keys() - reported))
        return History(self.shard, flags, counts, self._checkins_with(observation)), (*missing, *dropped)

    def _checkins_with(self, observation: Observation[Any]) -> dict[str, float]:
        if observation.probe != "els":
            return {}
        now = observation.observed_at
        reported = [part.name for part in observation.parts if part.value.servers and not _without_checkins(part)]
        recent = {name: at for name, at in self.checkins.items() if now - at <= _FLAG_MAX_AGE}
        return recent | dict.fromkeys(reported, now)

    def with_missing_checkins(self, observation: Observation[Any]) -> Observation[Any]:
        """Return ``observation`` with check-ins that CLN reported before, and no longer does, as a missing field."""
        missed = {part.name for part in observation.parts if _without_checkins(part)} & self.checkins.keys()
        if not missed:
            return observation
        parts = tuple(_with_missing_field(part) if part.name in missed else part for part in observation.parts)
        return msgspec.structs.replace(observation, parts=parts)

    def _dropped(self, probe: str, product: str, size: int, now: float) -> tuple[Caution, ...]:
        counts = self.counts.get(product, [])
        if size == 0:
            highest = max((count for at, count in counts if now - at <= DAY + _SLACK), default=0)
            texts = [f"{product or probe} fell from {highest} to 0 within 1d"] if highest >= _MIN_BEFORE else []
            return Caution.for_names(facts.SERVERS_GONE, texts)
        for window, name in ((HOUR, "1h"), (DAY, "1d")):
            before = next((count for at, count in reversed(counts) if window <= now - at <= window + _SLACK), 0)
            if before - size >= _MIN_LOSS and 2 * (before - size) > before:
                return Caution.for_names(
                    facts.SERVERS_DROPPED, [f"{product or probe} fell from {before} to {size} within {name}"]
                )
        return ()


def _without_checkins(part: Part[Any]) -> bool:
    return any(caution.fact == facts.CHECKIN_NOT_TOLD for caution in part.cautions)


def _with_missing_field(part: Part[Any]) -> Part[Any]:
    cautions = tuple(
        msgspec.structs.replace(caution, fact=facts.FIELD_MISSING)
        if caution.fact == facts.CHECKIN_NOT_TOLD
        else caution
        for caution in part.cautions
    )
    return msgspec.structs.replace(part, cautions=cautions)


def _with(counts: list[tuple[float, int]], now: float, size: int) -> list[tuple[float, int]]:
    """Return the ``counts`` of the last day including ``size`` at ``now``, at most one per five minutes."""
    kept = counts if counts and now - counts[-1][0] < _MIN_DISTANCE else [*counts, (now, size)]
    return [(at, count) for at, count in kept if now - at <= DAY + _SLACK]


def sizes_of(observation: Observation[Any]) -> Sizes:
    """Return the numbers of servers in an observation; empty for a probe that lists no servers."""
    measure = _MEASURES.get(observation.probe)
    if measure is None:
        return {}
    sizes: dict[str, int] = {} if observation.probe in BY_PRODUCT else {"": 0}
    for part in observation.parts:
        product, size = measure(part.value)
        sizes[product] = sizes.get(product, 0) + size
    return sizes


_MEASURES: dict[str, Callable[[Any], tuple[str, int]]] = {
    "kernelcare": lambda key: ("", len(key.servers)),
    "imunify": lambda key: ("", len(key.servers)),
    "els": lambda product: (product.product, _count_with_listed_key(product)),
    "cloudlinux": lambda product: (product.product, _count_with_listed_key(product)),
    "ip_licenses": lambda value: ("", len(value.licenses)),
    "eportal": lambda fleet: ("", len(fleet.servers)),
}


def _count_with_listed_key(product: Any) -> int:
    """Return the number of servers of a product whose key is listed, as in the metrics."""
    keys = {key.key for key in product.keys}
    return sum(server.key in keys for server in product.servers)


_WITHOUT_KEYS = ("ip_licenses", "eportal")
_NOUNS = {"ip_licenses": "IP licenses"}


class EmptiedList(NamedTuple):
    """A list that became empty: the name of its ``part``, or ``""`` for all parts, and the text for the error."""

    part: str
    text: str


def emptied_lists(before: Observation[Any] | None, observation: Observation[Any]) -> list[EmptiedList]:
    """Return the lists that became empty: of all keys, or of all servers, of the account or of a product."""
    if before is None or observation.failure is not None or observation.probe not in _MEASURES:
        return []
    old, new = _lists(before), _lists(observation)
    return [
        EmptiedList(part, f"{noun} fell from {count} to none")
        for (part, noun), count in old.items()
        if count and new.get((part, noun), 0 if not part else count) == 0
    ]


def _lists(observation: Observation[Any]) -> dict[tuple[str, str], int]:
    """Return the length of each list by the name of its part and its description."""
    if observation.probe in BY_PRODUCT:
        keys = {(part.name, f"the list of keys of {part.name}"): len(part.value.keys) for part in observation.parts}
        return keys | {
            (part.name, f"the servers of {part.name}"): len(part.value.servers) for part in observation.parts
        }
    lists = {("", f"the {_NOUNS.get(observation.probe, 'servers')}"): sum(sizes_of(observation).values())}
    return lists if observation.probe in _WITHOUT_KEYS else {("", "the list of keys"): len(observation.parts)} | lists


def failed_for(run: Run[Any], emptied: Iterable[EmptiedList]) -> Run[Any]:
    """Return ``run`` as one that failed to read the ``emptied`` lists, which are accepted only at the second poll."""
    observation = run.observation
    failures = {
        list_.part: Failure(BadAnswerError.reason, f"{list_.text}; waiting for a second poll")
        for list_ in reversed(list(emptied))
    }
    if "" in failures:
        changes: dict[str, Any] = {"parts": (), "missing": (Missing("", failures[""]),), "list_known": False}
        observation = msgspec.structs.replace(observation, empty=msgspec.UNSET, cautions=(), **changes)
    else:  # a part is a product
        parts = tuple(part for part in observation.parts if part.name not in failures)
        missing = tuple(Missing(product, failure) for product, failure in failures.items())
        observation = msgspec.structs.replace(observation, parts=parts, missing=missing)
    return msgspec.structs.replace(run, observation=observation)
