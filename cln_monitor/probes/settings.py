"""The settings of probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NewType, TypeVar

import msgspec

from cln_monitor.cln import InvalidArgumentError

Duration = NewType("Duration", float)
"""A duration in seconds, in a configuration written as ``90s``, ``15m``, ``24h``, or ``1d``."""

T = TypeVar("T")

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_SHORTEST_INTERVAL = 1.0


class DefaultList(list[T]):
    """A default list of products or scopes. An entry that CLN refuses is not available instead of a failure."""


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of every probe: seconds between polls, and the maximum age of its last good data in seconds."""

    enabled: bool = True
    interval: Duration
    max_age: Duration

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield the field and the problem of each invalid value."""
        if self.interval < _SHORTEST_INTERVAL:
            yield "interval", "expected 1s or more; each poll sends requests to CLN"


def problems_of_products(products: list[str], check: Callable[[str], object]) -> Iterator[tuple[str, str]]:
    """Yield the field and the problem of each invalid value in ``products``.

    ``check`` raises InvalidArgumentError for an invalid code.
    """
    if not products:
        yield "products", "expected at least one product; use enabled: false to disable the probe"
    for index, product in enumerate(products):
        try:
            check(product)
        except InvalidArgumentError as error:
            yield f"products[{index}]", str(error).partition(": ")[2]


class CheckinSettings(ProbeSettings, frozen=True, kw_only=True):
    """The settings of a probe whose servers check in.

    A server is silent after ``stale_after`` seconds. ``server_series`` enables per-server series.
    """

    interval: Duration = Duration(15 * MINUTE)
    max_age: Duration = Duration(HOUR)
    stale_after: Duration = Duration(24 * HOUR)
    server_series: bool = True


def stale_after_of(settings: ProbeSettings) -> float | None:
    """Return the seconds after which a server counts as silent; None if the probe's servers do not check in."""
    return settings.stale_after if isinstance(settings, CheckinSettings) else None
