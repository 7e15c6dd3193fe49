"""The billing of AccelerateWP (API document, "AccelerateWP Billing Information")."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from . import validation
from .caller import Caller
from .endpoints import AWP_USAGE
from .fields import identity, text
from .rows import unique

AWP_PRODUCTS = ("AWP_PREMIUM", "AWP_CDN")
"""The products that the API document names."""


class AwpUsage(msgspec.Struct, frozen=True):
    """A billed entity of a month: a ``product`` of a domain.

    ``username`` is None when CLN does not report it; ``cdn_limit_type``, such as ``50 GB``, is empty without a CDN.
    """

    product: str
    primary_domain: str
    username: str | None
    cdn_limit_type: str


class AwpReads:
    """The one call below ``/cl``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def usage(self, month: str, products: Iterable[str] = AWP_PRODUCTS) -> list[AwpUsage]:
        """Return the billed entities of ``products`` in ``month``, ``yyyy-MM``, without duplicates (``/cl/awp``).

        It is not documented whether CLN reports the current month, and how many months back. Raises
        InvalidArgumentError and ClnError.
        """
        query = {"products": validation.awp_products(products), "yearMonth": validation.month(month)}
        return unique(self._caller.get_rows(AWP_USAGE, _Row, _Row.usage, **query), lambda usage: usage)


class _Row(msgspec.Struct):
    product: object = None
    primary_domain: object = None
    username: object = None
    cdn_limit_type: object = None

    def usage(self) -> AwpUsage:
        return AwpUsage(
            product=identity(self.product, "product"),
            primary_domain=text(self.primary_domain),
            username=text(self.username) or None,
            cdn_limit_type=text(self.cdn_limit_type),
        )
