"""IP licences with their check-ins, as one list."""

from __future__ import annotations

from typing import NamedTuple

from cln_monitor.probes import Observation
from cln_monitor.probes.ip_licenses import IpLicenses


class License(NamedTuple):
    """A licence of an address. ``registered``: a server uses it, None where CLN does not tell.

    Times are Unix seconds, None for never or unknown; ``read_at`` is when its check-in was read, None where it could
    not be.
    """

    ip: str
    license: str
    registered: bool | None
    created: float | None
    last_checkin: float | None
    read_at: float | None

    @property
    def is_used(self) -> bool:
        """Whether a server uses it; where CLN does not tell, a check-in does."""
        return self.registered is True or (self.registered is None and self.last_checkin is not None)


def licenses_of(observation: Observation[IpLicenses]) -> list[License]:
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
            *checkins.get((each.ip, each.license), (None, None)),
        )
        for part in observation.parts
        for each in part.value.licenses
    ]
