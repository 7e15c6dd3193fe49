"""IP licenses joined with their check-ins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from cln_monitor.cln import LastCheckin
from cln_monitor.probes import IpLicenseList, Observation


class License(NamedTuple):
    """An IP license. ``registered`` is whether a server uses it, or None if CLN does not report that.

    Times are Unix seconds; ``read_at`` is when the check-in was read, or None if it could not be read. ``os`` is the
    operating system and kernel of its server, empty if unknown.
    """

    ip: str
    license: str
    registered: bool | None
    created: float | None
    last_checkin: LastCheckin
    read_at: float | None
    os: str = ""

    @property
    def is_used(self) -> bool:
        """Whether a server uses it; if CLN does not report that, whether it has ever checked in."""
        return self.registered is True or (self.registered is None and bool(self.last_checkin))


def by_address(licenses: Iterable[License]) -> list[License]:
    """Return one license per address in use whose check-in was read, with the oldest check-in and all license names."""
    merged: dict[str, License] = {}
    for license_ in licenses:
        if license_.is_used and license_.read_at is not None:
            other = merged.get(license_.ip)
            is_older = other is None or (license_.last_checkin or 0.0) < (other.last_checkin or 0.0)
            oldest = license_ if other is None or is_older else other
            names = license_.license if other is None else f"{other.license}, {license_.license}"
            merged[license_.ip] = oldest._replace(license=names)
    return list(merged.values())


def licenses_of(observation: Observation[IpLicenseList]) -> list[License]:
    """Return the IP licenses in an observation of the probe ``ip_licenses``."""
    # Check-ins may be from an earlier run: the newer of two counts, and those of removed licenses are ignored.
    checkins = {
        (checkin.ip, checkin.license): (checkin.last_checkin, part.observed_at, checkin.os)
        for part in sorted(observation.parts, key=lambda part: part.monotonic)
        for checkin in part.value.checkins
    }
    return [
        License(
            *(license_.ip, license_.license, license_.registered, license_.created),
            *checkins.get((license_.ip, license_.license), (UNSET, None)),
        )
        for part in observation.parts
        for license_ in part.value.licenses
    ]
