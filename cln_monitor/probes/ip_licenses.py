"""Which IP licences are paid for and used by nobody, and do their servers check in?"""

from __future__ import annotations

import msgspec

from cln_monitor.cln import IpLicense, LicensedServer

from .probe import Plan, Source
from .settings import HOUR, CheckinSettings, Duration
from .shown import without_secrets


class LicenseState(msgspec.Struct, frozen=True):
    """A licence of an address. ``license`` is its type's name or number; times are Unix seconds.

    ``registered``: a server uses it; ``last_checkin`` is None when that never checked in.
    """

    ip: str
    license: str
    registered: bool
    created: float | None
    last_checkin: float | None


class IpLicensesSettings(CheckinSettings, frozen=True, kw_only=True):
    """Of the probe of the IP licences."""

    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    stale_after: Duration = Duration(72 * HOUR)


class IpLicensesProbe:
    """Reads the list of licences, then their check-ins, a call for each hundred addresses."""

    name = "ip_licenses"
    settings = IpLicensesSettings
    of_account = True

    def plan(self, source: Source) -> Plan[list[LicenseState]]:
        """Return the one part there is."""
        return Plan({"licenses": lambda: _read(source)})


def _read(source: Source) -> list[LicenseState]:
    licenses = source.client.ip_licenses.licenses()
    servers = source.client.ip_licenses.servers(list(dict.fromkeys(each.ip for each in licenses)))
    told = {(server.ip, server.type): server for server in servers}
    states = [_state(each, told.get((each.ip, each.type))) for each in licenses]
    return without_secrets(source.client, states, "ip")


def _state(license_: IpLicense, server: LicensedServer | None) -> LicenseState:
    # The list is what is paid for; a licence it has and server.json lacks was registered or removed in between.
    last_checkin = None if server is None else server.last_checkin
    return LicenseState(license_.ip, license_.name, license_.registered, license_.created, last_checkin)
