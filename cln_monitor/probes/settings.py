"""What can be set of a probe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NewType, TypeVar

import msgspec

from cln_monitor.cln import InvalidArgumentError

Duration = NewType("Duration", float)
"""Seconds; a configuration spells them ``90s``, ``15m``, ``24h``, ``1d``."""

T = TypeVar("T")

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_SHORTEST_INTERVAL = 1.0


class DefaultList(list[T]):
    """What to ask about where the operator has not said so: what CLN refuses of it is not available, and no failure."""


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every probe has. ``interval``: seconds between polls; ``max_age``: how long its last good data count."""

    enabled: bool = True
    interval: Duration
    max_age: Duration

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what of the values cannot be meant: the name of the field, and what was expected."""
        if self.interval < _SHORTEST_INTERVAL:
            yield "interval", "expected 1s or more; CLN is asked anew each time"


def problems_of_products(products: list[str], check: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the field ``products``.

    ``check`` raises InvalidArgumentError for a code that CLN cannot mean.
    """
    if not products:
        yield "products", "expected at least one product; enabled: false is what asks nothing"
    for index, product in enumerate(products):
        try:
            check(product)
        except InvalidArgumentError as error:
            yield f"products[{index}]", str(error).partition(": ")[2]


class CheckinSettings(ProbeSettings, frozen=True, kw_only=True):
    """Of a probe whose servers check in: stale after ``stale_after`` seconds; a series a server unless switched off."""

    interval: Duration = Duration(15 * MINUTE)
    max_age: Duration = Duration(HOUR)
    stale_after: Duration = Duration(24 * HOUR)
    server_series: bool = True


def stale_after_of(settings: ProbeSettings) -> float | None:
    """Return the seconds after which a server counts as silent; None for a probe of no servers that check in."""
    return settings.stale_after if isinstance(settings, CheckinSettings) else None
