"""IP licences with their check-ins, as one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from cln_monitor.cln import LastCheckin
from cln_monitor.probes import IpLicenseList, Observation


class License(NamedTuple):
    """A licence of an address. ``registered``: a server uses it, None where CLN does not tell.

    Times are Unix seconds; ``read_at`` is when its check-in was read, None where it could not be.
    """

    ip: str
    license: str
    registered: bool | None
    created: float | None
    last_checkin: LastCheckin
    read_at: float | None

    @property
    def is_used(self) -> bool:
        """Whether a server uses it; where CLN does not tell, a check-in does."""
        return self.registered is True or (self.registered is None and bool(self.last_checkin))


def by_address(licenses: Iterable[License]) -> list[License]:
    """Return those in use whose check-in was read, an address once: with all its licenses, and the oldest check-in."""
    found: dict[str, License] = {}
    for each in licenses:
        if each.is_used and each.read_at is not None:
            other = found.get(each.ip)
            older = each if other is None or (each.last_checkin or 0.0) < (other.last_checkin or 0.0) else other
            names = each.license if other is None else f"{other.license}, {each.license}"
            found[each.ip] = older._replace(license=names)
    return list(found.values())


def licenses_of(observation: Observation[IpLicenseList]) -> list[License]:
    """Return the licences of an observation of the probe ``ip_licenses``."""
    # Check-ins may be of an earlier run: of two the newer counts, and none of a licence that has gone.
    checkins = {
        (each.ip, each.license): (each.last_checkin, part.observed_at)
        for part in sorted(observation.parts, key=lambda part: part.monotonic)
        for each in part.value.checkins
    }
    return [
        License(
            *(each.ip, each.license, each.registered, each.created),
            *checkins.get((each.ip, each.license), (UNSET, None)),
        )
        for part in observation.parts
        for each in part.value.licenses
    ]
