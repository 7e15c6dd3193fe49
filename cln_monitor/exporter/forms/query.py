"""The parameters of ``/api/v1/observations/{account}/{probe}``, which select the form of a report."""

from __future__ import annotations

import math
from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple

SUMMARY = "summary"

FILTERS: dict[str, tuple[str, ...]] = {
    "kernelcare": ("key", "ip", "server_id"),
    "imunify": ("key", "ip", "server_id"),
    "els": ("key", "ip", "server_id"),
    "cloudlinux": ("key", "ip", "server_id"),
    "ip_licenses": ("ip",),
    "patch_status": ("key",),
}
"""The parameters by probe that select servers; other probes have none."""

_NUMBERS = ("at", "warning", "critical")
_LARGEST = 1e12  # seconds


class QueryError(ValueError):
    """Invalid parameters; the text contains none of their values, as a key may be among them."""


class Limits(NamedTuple):
    """The ages in seconds beyond which a server is in the states WARNING and CRITICAL; None for the policy."""

    warning: float | None = None
    critical: float | None = None


class FormQuery(NamedTuple):
    """The requested form: a summary at the Unix time ``at`` (None: now), servers by the filters, or everything.

    ``keys`` are labels or masks of license keys; ``ips`` are in the notation of `ipaddress`.
    """

    is_summary: bool = False
    at: float | None = None
    limits: Limits = Limits()
    keys: tuple[str, ...] = ()
    ips: tuple[str, ...] = ()
    server_ids: tuple[str, ...] = ()

    @property
    def has_filters(self) -> bool:
        """Whether only some servers are requested."""
        return bool(self.keys or self.ips or self.server_ids)


def parse_query(probe: str, query: Iterable[tuple[str, str]]) -> FormQuery:
    """Return the form that the parameters ``query`` request of a report on ``probe``. Raises QueryError."""
    values: dict[str, list[str]] = {}
    allowed = FILTERS.get(probe, ())
    for name, value in query:
        if name not in {*allowed, "form", *_NUMBERS}:
            filters = f"{', '.join(allowed)} (repeatable), " if allowed else ""
            raise QueryError(f"unknown parameter; expected {filters}form, at, warning or critical")
        values.setdefault(name, []).append(value)
    repeated = [name for name in ("form", *_NUMBERS) if len(values.get(name, ())) > 1]
    if repeated:
        raise QueryError(f"repeated parameter {repeated[0]}; expected one value")
    filters_given = [name for name in allowed if name in values]
    if values.get("form", [SUMMARY]) != [SUMMARY]:
        raise QueryError("unknown form; expected form=summary, or no form for all data")
    if "form" in values and filters_given:
        raise QueryError(f"form=summary cannot be combined with {', '.join(filters_given)}")
    numbers = {name: _number(name, values[name][0]) for name in _NUMBERS if name in values}
    if numbers and "form" not in values:
        raise QueryError(f"{next(iter(numbers))} requires form=summary")
    return FormQuery(
        is_summary="form" in values,
        at=numbers.get("at"),
        limits=Limits(numbers.get("warning"), numbers.get("critical")),
        keys=tuple(values.get("key", ())),
        ips=tuple(_address(ip) for ip in values.get("ip", ())),
        server_ids=tuple(values.get("server_id", ())),
    )


def _number(name: str, text: str) -> float:
    try:
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if not 0 <= number <= _LARGEST:
        unit = "a Unix time" if name == "at" else "an age"
        raise QueryError(f"invalid {name}; expected {unit} in seconds")
    return number


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise QueryError("invalid ip; expected an IP address, such as 192.0.2.1") from None
