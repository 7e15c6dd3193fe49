"""The probe of AccelerateWP: the billable entities of the current and the previous month."""

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
    """The billable entities of a ``product``; ``cdn_limit``, such as ``50 GB``, is empty if it is not a CDN."""

    product: str
    cdn_limit: str
    billable: int


class AwpMonth(msgspec.Struct, frozen=True):
    """The billable entities of a ``month`` such as ``2023-12``. Domains and users are only counted, not stored."""

    month: str
    counts: list[AwpCount]


class AwpSettings(ProbeSettings, frozen=True, kw_only=True):
    """Settings of the probe ``awp``. ``products`` are the product codes to request."""

    enabled: bool = False
    interval: Duration = Duration(6 * HOUR)
    max_age: Duration = Duration(DAY)
    products: list[str] = msgspec.field(default_factory=lambda: list(AWP_PRODUCTS))

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        yield from super().problems()
        yield from problems_of_products(self.products, lambda code: check_awp_products([code]))


class AwpProbe:
    """Reads the usage of the current and the previous month (UTC), with one call per month for all products."""

    name = "awp"
    settings = AwpSettings
    per_account = True
    is_sharded = False

    def plan(self, context: ProbeContext) -> Plan[AwpMonth]:
        """Return one part per month, named after it, so that data of another month are never kept for it."""
        return Plan({month: partial(_read, context, month) for month in months_at(context.now())})


def _read(context: ProbeContext, month: str) -> Reading[AwpMonth]:
    products = context.settings.products
    rows = context.client.awp.usage(month, products)
    counts = Counter((row.product, row.cdn_limit_type) for row in rows)
    unused = [product for product in products if not any(row.product == product for row in rows)]
    counted = sorted([*counts.items(), *(((product, ""), 0) for product in unused)])
    scrub = context.client.scrub
    return Reading(
        AwpMonth(month, [AwpCount(scrub(product), scrub(limit), count) for (product, limit), count in counted])
    )
