"""What a probe is: it says which parts there are to read, and how to read each."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from cln_monitor.cln import ClnError, ReadOnlyClient, Secret
from cln_monitor.masking import same_key

from .caution import Caution, Keyed, KeyLimits, of_limits
from .observation import Failure, Missing
from .settings import ProbeSettings
from .shard import WHOLE, Shard

K = TypeVar("K", bound=Keyed)
T = TypeVar("T")


class NotAvailableError(Exception):
    """CLN does not offer a part to this account, and the operator has not asked for it: ``what`` it is in words."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(text)
        self.what = what


class ProbeContext(msgspec.Struct, frozen=True):
    """Where a probe reads: the ``client`` of an ``account``, with what the account's configuration adds.

    ``settings`` are those of the probe; ``key_label`` turns a licence key into the name it may be shown under.
    ``only_keys`` are the licence keys to ask about, where not all are. ``shard`` says what is read here where several
    exporters share an account. ``now`` gives the Unix time.
    """

    client: ReadOnlyClient
    settings: Any
    account: str = ""
    key_label: Callable[[str], str] = str
    monitoring_keys: Callable[[], Sequence[Secret]] = tuple
    only_keys: Collection[str] | None = None
    shard: Shard = WHOLE
    now: Callable[[], float] = time.time

    @property
    def cln_now(self) -> float:
        """The Unix time by CLN's own clock, as far as its answers have told that."""
        return self.now() + (self.client.clock_skew or 0.0)

    def wants(self, key: str) -> bool:
        """Tell whether to ask about the licence key ``key``; ``only_keys`` may hold it or its mask."""
        return self.reads(key) and (self.only_keys is None or any(same_key(key, name) for name in self.only_keys))

    def reads(self, part: str) -> bool:
        """Tell whether ``part`` of the account, such as a licence key, is read here and not by another shard."""
        return self.shard.reads(self.account, part)


class Reading(msgspec.Struct, Generic[T], frozen=True):
    """What a reader read: the ``value`` of a part, and the ``cautions`` of what is odd in it."""

    value: T
    cautions: tuple[Caution, ...] = ()


class Plan(msgspec.Struct, Generic[T], frozen=True):
    """The parts to read: a reader for each name, and what is missing already, such as the list of keys.

    ``read`` are parts that came with that list itself, ``cautions`` what is odd in it.
    """

    readers: Mapping[str, Callable[[], Reading[T]]]
    missing: Sequence[Missing] = ()
    read: Mapping[str, Reading[T]] = {}
    list_known: bool = True
    cautions: tuple[Caution, ...] = ()


class Probe(Protocol[T]):
    """A question to CLN, asked again and again. ``name`` is its label; ``Settings`` what can be set of it."""

    @property
    def name(self) -> str:
        """The name in configuration, labels and paths."""

    @property
    def settings(self) -> type[ProbeSettings]:
        """The type of its settings, with their defaults."""

    @property
    def of_account(self) -> bool:
        """True when it asks about an account, false when about CLN itself."""

    @property
    def is_shared(self) -> bool:
        """True when shards each read some parts of an account; false when one of them reads the whole account."""

    def plan(self, context: ProbeContext) -> Plan[T]:
        """Return what there is to read. Raises ClnError when that cannot be told."""


def plan_of_keys(
    context: ProbeContext, keys: Sequence[K], product: str, read: Callable[[ProbeContext, K, KeyLimits], Reading[T]]
) -> Plan[T]:
    """Return a part for each of the ``keys`` that ``context`` wants; ``keys`` are all of a list that CLN gave."""
    limits = of_limits(context.client, keys, context.key_label, product)
    wanted = [key for key in keys if context.wants(key.key)]
    return Plan(
        {context.key_label(key.key): partial(read, context, key, limits) for key in wanted}, cautions=limits.of_all
    )


def failure_of(error: ClnError) -> Failure:
    """Return ``error`` as an observation keeps it."""
    return Failure(error.reason, str(error))
