"""Which IP licences are paid for and used by nobody, and do their servers check in?"""

from __future__ import annotations

from functools import partial

import msgspec
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import MOST_ADDRESSES, IpLicense, LastCheckin

from .caution import Caution, counted, of_checkins
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading
from .redaction import redact_rows
from .settings import HOUR, CheckinSettings, Duration

LICENSE_LIST = "licenses"
"""The name of the part that lists all licences; the others are of check-ins."""


class LicenseState(msgspec.Struct, frozen=True):
    """A licence of an address. ``license`` is its type's name or number; ``created``: Unix seconds.

    ``registered``: a server uses it, None where CLN does not tell.
    """

    ip: str
    license: str
    registered: bool | None
    created: float | None


class LicenseCheckin(msgspec.Struct, frozen=True):
    """When the server of a license last checked in."""

    ip: str
    license: str
    last_checkin: LastCheckin = UNSET


class IpLicenseList(msgspec.Struct, frozen=True):
    """A part of what CLN tells of IP licences: the list of all, or the check-ins of some."""

    licenses: list[LicenseState] = []
    checkins: list[LicenseCheckin] = []


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
    is_shared = False

    def plan(self, context: ProbeContext) -> Plan[IpLicenseList]:
        """Return a part for the list, and one for the check-ins of each hundred addresses."""
        licenses = context.client.ip_licenses.licenses()
        readers = {}
        of_address: dict[str, list[IpLicense]] = {}
        for license_ in licenses:
            of_address.setdefault(license_.ip, []).append(license_)
        held = list(of_address.values())
        for start in range(0, len(held), MOST_ADDRESSES):
            some = [license_ for of_one in held[start : start + MOST_ADDRESSES] for license_ in of_one]
            readers[f"check-ins {start // MOST_ADDRESSES + 1}"] = partial(_read_checkins, context, some)
        return Plan(readers, read={LICENSE_LIST: _listed(context, licenses)})


def _listed(context: ProbeContext, licenses: list[IpLicense]) -> Reading[IpLicenseList]:
    states = [LicenseState(each.ip, each.name, each.registered, each.created) for each in licenses]
    return Reading(IpLicenseList(licenses=redact_rows(context.client, states, "ip")))


def _read_checkins(context: ProbeContext, licenses: list[IpLicense]) -> Reading[IpLicenseList]:
    servers = context.client.ip_licenses.servers(licenses)
    told = {(server.ip, server.type): server.last_checkin for server in servers}
    # A license that the list has and the answer lacks was registered or removed in between: nothing is known of it.
    checkins = [
        LicenseCheckin(each.ip, each.name, told[each.ip, each.type])
        for each in licenses
        if (each.ip, each.type) in told
    ]
    shown, ahead = without_ahead(redact_rows(context.client, checkins, "ip"), context.cln_now)
    in_use = {(each.ip, each.name) for each in licenses if each.registered is not False}
    odd = of_checkins(
        [each for each in shown if (each.ip, each.license) in in_use],
        [each for each in ahead if (each.ip, each.license) in in_use],
        "of IP licenses",
    )
    if in_use and not told:
        odd = Caution.of(facts.FIELD_MISSING, [f"last_checkin of {counted(len(in_use), 'server')} of IP licenses"])
    return Reading(IpLicenseList(checkins=shown), odd)
