"""IP licences with their check-ins, as one list: the one place outside the metrics that knows how they are observed."""

from __future__ import annotations

from typing import Any, NamedTuple

from cln_monitor.probes import Observation


class License(NamedTuple):
    """A licence of an address. ``registered``: a server uses it; times are Unix seconds, None for never or unknown."""

    ip: str
    license: str
    registered: bool
    created: float | None
    last_checkin: float | None


def licenses_of(observation: Observation[Any]) -> list[License]:
    """Return the licences of an observation of the probe ``ip_licenses``."""
    return [
        License(each.ip, each.license, each.registered, each.created, each.last_checkin)
        for part in observation.parts
        for each in part.value
    ]
