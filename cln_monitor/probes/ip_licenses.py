"""The probe of IP licenses: which licenses are unused, and the check-ins of the servers that use the others."""

from __future__ import annotations

from functools import partial

import msgspec
from msgspec import UNSET

from cln_monitor import facts
from cln_monitor.cln import MOST_ADDRESSES, IpLicense, LastCheckin
from cln_monitor.text_cleaning import shorten

from .caution import Caution, checkin_cautions, counted
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading
from .redaction import redact_rows
from .settings import HOUR, CheckinSettings, Duration

LONGEST_OS = 128
"""Maximum number of characters of the operating system of a server."""
LICENSE_LIST = "licenses"
"""The name of the part with the list of all licenses; all other parts have check-ins."""


class LicenseState(msgspec.Struct, frozen=True):
    """A license of an IP address. ``license`` is the name or number of its type; ``created`` is in Unix seconds.

    ``registered`` is whether a server uses the license; None if CLN does not report it.
    """

    ip: str
    license: str
    registered: bool | None
    created: float | None


class LicenseCheckin(msgspec.Struct, frozen=True):
    """The last check-in of the server that uses a license, in Unix seconds.

    ``os`` is its ``server_info``, the operating system and the kernel; empty if CLN does not report it.
    """

    ip: str
    license: str
    last_checkin: LastCheckin = UNSET
    os: str = ""


class IpLicenseList(msgspec.Struct, frozen=True):
    """A part of the IP licenses of an account: the complete list, or the check-ins of up to a hundred addresses."""

    licenses: list[LicenseState] = []
    checkins: list[LicenseCheckin] = []


class IpLicensesSettings(CheckinSettings, frozen=True, kw_only=True):
    """Settings of the probe ``ip_licenses``."""

    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    stale_after: Duration = Duration(72 * HOUR)


class IpLicensesProbe:
    """Reads the list of licenses, then their check-ins, with one call per hundred addresses."""

    name = "ip_licenses"
    settings = IpLicensesSettings
    per_account = True
    is_sharded = False

    def plan(self, context: ProbeContext) -> Plan[IpLicenseList]:
        """Return one part for the list, and one per hundred addresses for the check-ins."""
        licenses = context.client.ip_licenses.licenses()
        readers = {}
        by_address: dict[str, list[IpLicense]] = {}
        for license_ in licenses:
            by_address.setdefault(license_.ip, []).append(license_)
        groups = list(by_address.values())
        for start in range(0, len(groups), MOST_ADDRESSES):
            chunk = [license_ for group in groups[start : start + MOST_ADDRESSES] for license_ in group]
            readers[f"check-ins {start // MOST_ADDRESSES + 1}"] = partial(_read_checkins, context, chunk)
        return Plan(readers, read={LICENSE_LIST: _listed(context, licenses)})


def _listed(context: ProbeContext, licenses: list[IpLicense]) -> Reading[IpLicenseList]:
    states = [LicenseState(license_.ip, license_.name, license_.registered, license_.created) for license_ in licenses]
    return Reading(IpLicenseList(licenses=redact_rows(context.client, states, "ip")))


def _read_checkins(context: ProbeContext, licenses: list[IpLicense]) -> Reading[IpLicenseList]:
    servers = context.client.ip_licenses.servers(licenses)
    by_license = {(server.ip, server.type): server for server in servers}
    # A license without a row here was registered or removed between the two calls: nothing is known about it.
    checkins = [
        LicenseCheckin(license_.ip, license_.name, server.last_checkin, shorten(server.server_info, LONGEST_OS))
        for license_ in licenses
        if (server := by_license.get((license_.ip, license_.type))) is not None
    ]
    shown, ahead = without_ahead(redact_rows(context.client, checkins, "ip", "os"), context.cln_now)
    in_use = {(license_.ip, license_.name) for license_ in licenses if license_.registered is not False}
    cautions = checkin_cautions(
        [checkin for checkin in shown if (checkin.ip, checkin.license) in in_use],
        [checkin for checkin in ahead if (checkin.ip, checkin.license) in in_use],
        "of IP licenses",
    )
    if in_use and not by_license:
        missing = f"last_checkin of {counted(len(in_use), 'server')} of IP licenses"
        cautions = Caution.for_names(facts.FIELD_MISSING, [missing])
    return Reading(IpLicenseList(checkins=shown), cautions)
