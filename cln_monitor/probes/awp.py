"""What is AccelerateWP billed for, this month and the one before?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import msgspec

from cln_monitor.cln import AWP_PRODUCTS, check_awp_products
from cln_monitor.durations import months_at

from .probe import Plan, ProbeContext, Reading
from .settings import DAY, HOUR, Duration, ProbeSettings, problems_of_products


class AwpCount(msgspec.Struct, frozen=True):
    """How many entities are billed of a ``product``; ``cdn_limit``, such as ``50 GB``, is empty for what is no CDN."""

    product: str
    cdn_limit: str
    billable: int


class AwpMonth(msgspec.Struct, frozen=True):
    """What is billed for a ``month``, ``2023-12``. Domains and users are counted and not kept."""

    month: str
    counts: list[AwpCount]


class AwpSettings(ProbeSettings, frozen=True, kw_only=True):
    """Of the probe of AccelerateWP. ``products``: the codes to ask about."""

    enabled: bool = False
    interval: Duration = Duration(6 * HOUR)
    max_age: Duration = Duration(DAY)
    products: list[str] = msgspec.field(default_factory=lambda: list(AWP_PRODUCTS))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what of the values cannot be meant."""
        yield from super().problems()
        yield from problems_of_products(self.products, lambda code: check_awp_products([code]))


class AwpProbe:
    """Reads what is billed for the current month and for the one before (UTC), all products in one call a month."""

    name = "awp"
    settings = AwpSettings
    of_account = True
    is_shared = False

    def plan(self, context: ProbeContext) -> Plan[AwpMonth]:
        """Return a part for each of the two months, called by it, so that none of another month is kept for it."""
        return Plan({month: partial(_read, context, month) for month in months_at(context.now())})


def _read(context: ProbeContext, month: str) -> Reading[AwpMonth]:
    products = context.settings.products
    rows = context.client.awp.usage(month, products)
    counts = Counter((row.product, row.cdn_limit_type) for row in rows)
    of_none = [(product, "") for product in products if not any(row.product == product for row in rows)]
    counted = sorted([*counts.items(), *((each, 0) for each in of_none)])
    scrub = context.client.scrub
    return Reading(
        AwpMonth(month, [AwpCount(scrub(product), scrub(limit), count) for (product, limit), count in counted])
    )
