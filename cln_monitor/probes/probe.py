"""The interface of a probe, which plans the parts to read and how to read each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from cln_monitor.cln import ClnError, ReadOnlyClient, Secret
from cln_monitor.masking import same_key
from cln_monitor.patches import PatchCatalog

from .caution import Caution, Keyed, KeyLimits, limit_cautions
from .observation import Failure, Missing
from .settings import ProbeSettings
from .shard import WHOLE, Shard

K = TypeVar("K", bound=Keyed)
T = TypeVar("T")


class NotAvailableError(Exception):
    """CLN does not offer a part to this account, and the configuration does not request it by name.

    ``subject`` names the part for people, as in "reseller access".
    """

    def __init__(self, subject: str, text: str) -> None:
        super().__init__(text)
        self.subject = subject


class ProbeContext(msgspec.Struct, frozen=True):
    """The ``client`` of an ``account`` together with the configuration that a probe needs.

    ``settings`` are those of the probe; ``key_label`` turns a license key into the label under which it is shown.
    ``only_keys`` limits the probe to these license keys; None means all keys. ``shard`` selects the parts to read here
    if several exporters share an account. ``now`` returns the Unix time in seconds. ``catalog`` has what patches fix,
    and ``cves`` are those to look for; both are for ePortals alone.
    """

    client: ReadOnlyClient
    settings: Any
    account: str = ""
    key_label: Callable[[str], str] = str
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple
    only_keys: Collection[str] | None = None
    shard: Shard = WHOLE
    now: Callable[[], float] = time.time
    catalog: PatchCatalog | None = None
    cves: tuple[str, ...] = ()

    @property
    def cln_now(self) -> float:
        """The Unix time of CLN's clock, as far as known from the ``Date`` headers of its responses."""
        return self.now() + (self.client.clock_skew or 0.0)

    def wants(self, key: str) -> bool:
        """Return whether to read the license key ``key``; ``only_keys`` may have it in full or masked."""
        return self.reads(key) and (self.only_keys is None or any(same_key(key, name) for name in self.only_keys))

    def reads(self, part: str) -> bool:
        """Return whether this shard reads ``part`` of the account, such as a license key."""
        return self.shard.reads(self.account, part)


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """The result of a reader: the ``value`` of a part, and the ``cautions`` about it."""

    value: T
    cautions: tuple[Caution, ...] = ()


class Plan(msgspec.Struct, Generic[T], frozen=True):
    """The parts to read: one reader per name, and the parts known to be ``missing``, such as the list of keys.

    ``read`` are parts that the list itself contained; ``cautions`` are those about the list.
    """

    readers: Mapping[str, Callable[[], Reading[T]]]
    missing: Sequence[Missing] = ()
    read: Mapping[str, Reading[T]] = {}
    list_known: bool = True
    cautions: tuple[Caution, ...] = ()


class Probe(Protocol[T]):
    """A set of API calls that is repeated every interval and results in an observation."""

    @property
    def name(self) -> str:
        """The name in the configuration, in labels, and in paths."""

    @property
    def settings(self) -> type[ProbeSettings]:
        """The type of the probe's settings, with their defaults."""

    @property
    def per_account(self) -> bool:
        """Whether the probe runs once per account; false if it runs once per API root."""

    @property
    def is_sharded(self) -> bool:
        """Whether the parts of an account are distributed over shards; false if one shard reads the whole account."""

    def plan(self, context: ProbeContext) -> Plan[T]:
        """Return the parts to read. Raises ClnError if their list cannot be read."""


def plan_of_keys(
    context: ProbeContext, keys: Sequence[K], product: str, read: Callable[[ProbeContext, K, KeyLimits], Reading[T]]
) -> Plan[T]:
    """Return one part per key that ``context`` wants; ``keys`` is the complete list as CLN sent it."""
    limits = limit_cautions(context.client, keys, context.key_label, product)
    wanted = [key for key in keys if context.wants(key.key)]
    return Plan(
        {context.key_label(key.key): partial(read, context, key, limits) for key in wanted}, cautions=limits.of_list
    )


def failure_of(error: ClnError) -> Failure:
    """Return ``error`` as it is stored in an observation."""
    return Failure(error.reason, str(error))
