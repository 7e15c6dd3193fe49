"""Probes whose parts are products: CLN lists the keys and the servers of one product per call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from cln_monitor.cln import Limit, RefusedError

from .caution import Caution, Keyed, limit_cautions
from .probe import NotAvailableError, Plan, ProbeContext, Reading
from .redaction import redact_limit
from .settings import DefaultList

T = TypeVar("T")

BY_PRODUCT = frozenset({"els", "cloudlinux"})
"""The probes whose parts are products; the value of a part has its ``product``, ``keys`` and ``servers``."""


class NotedKey(Keyed, Protocol):
    """A license key as CLN lists it, with its note."""

    @property
    def note(self) -> str:
        """The note of the key, empty without one."""


def plan_of_products(
    context: ProbeContext, products: Iterable[str], read: Callable[[ProbeContext, str], Reading[T]]
) -> Plan[T]:
    """Return one part for each of ``products``."""
    return Plan({product: partial(read, context, product) for product in products if context.reads(product)})


def read_offered(
    context: ProbeContext,
    product: str,
    read: Callable[[str], Sequence[NotedKey]],
    make: Callable[[str, Limit, str], T],
    subject: str,
) -> tuple[list[T], tuple[Caution, ...]]:
    """Return the keys of a ``product``, and the cautions about their limits.

    ``read`` reads the keys of a product; ``make`` is called with the label, the limit and the note of a key. Raises
    NotAvailableError, with the ``subject``, the product for people, if CLN refuses a product that the configuration
    does not request by name, and ClnError.
    """
    client, label = context.client, context.key_label
    try:
        rows = read(product)
    except RefusedError as error:
        if isinstance(context.settings.products, DefaultList):
            raise NotAvailableError(subject, str(error)) from error
        raise
    limits = limit_cautions(client, rows, label, product)
    keys = [make(label(key.key), redact_limit(client, key.limit), client.scrub(key.note)) for key in rows]
    of_keys = (caution for cautions in limits.by_key.values() for caution in cautions)
    return keys, (*limits.of_list, *of_keys)
