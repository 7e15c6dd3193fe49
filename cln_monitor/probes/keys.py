"""Probes that read the servers of each key: one part a key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from .caution import Keyed, KeyLimits, of_limits
from .probe import Plan, ProbeContext, Reading

K = TypeVar("K", bound=Keyed)
T = TypeVar("T")


def plan_of_keys(
    source: ProbeContext, keys: Sequence[K], product: str, read: Callable[[ProbeContext, K, KeyLimits], Reading[T]]
) -> Plan[T]:
    """Return a part for each of the ``keys`` that ``source`` wants; ``keys`` are all of a list that CLN gave."""
    limits = of_limits(source.client, keys, source.key_label, product)
    wanted = [key for key in keys if source.wants(key.key)]
    return Plan(
        {source.key_label(key.key): partial(read, source, key, limits) for key in wanted}, cautions=limits.of_all
    )
