"""The metrics of IP licences (API document, "IP-based licenses API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.families import POLLED, Family, Series
from cln_monitor.probes import Observation
from cln_monitor.probes.ip_licenses import IpLicenses, IpLicensesSettings, LicenseState

_LABELS = ("account", "ip", "license")

REGISTERED = Family(
    "cln_ip_license_registered",
    f"Whether a server uses the IP licence, registered of /ipl/list.json; 0 is paid for and unused. {POLLED}",
    _LABELS,
)
LAST_CHECKIN = Family(
    "cln_ip_license_last_checkin_timestamp_seconds",
    f"Unix time of last_checkin of /ipl/server.json, absent if never. {POLLED}",
    _LABELS,
)
CREATED = Family(
    "cln_ip_license_created_timestamp_seconds",
    f"Unix time of created of /ipl/list.json, when the licence was created. {POLLED}",
    _LABELS,
)
LICENSES = Family(
    "cln_ip_licenses",
    f"IP licences of /ipl/list.json by type and registered. {POLLED}",
    ("account", "license", "registered"),
)
FAMILIES = (LICENSES, REGISTERED, LAST_CHECKIN, CREATED)
PER_SERVER = (REGISTERED, LAST_CHECKIN, CREATED)


def render(observation: Observation[IpLicenses], settings: IpLicensesSettings, series: Series) -> None:
    """Write the series of ``observation``."""
    account = observation.account
    licenses = [license_ for part in observation.parts for license_ in part.value.licenses]
    _count(account, licenses, series)
    if not settings.server_series:
        return
    # Check-ins may be of an earlier run: of two the newer counts, and none of a licence that has gone.
    parts = sorted(observation.parts, key=lambda part: part.observed_at)
    checkins = {(each.ip, each.license): each.last_checkin for part in parts for each in part.value.checkins}
    for each in licenses:
        labels = (account, each.ip, each.license)
        series.add(REGISTERED, labels, int(each.registered))
        last_checkin = checkins.get((each.ip, each.license))
        if last_checkin is not None:
            series.add(LAST_CHECKIN, labels, last_checkin)
        if each.created is not None:
            series.add(CREATED, labels, each.created)


def _count(account: str, licenses: list[LicenseState], series: Series) -> None:
    counts = Counter((each.license, each.registered) for each in licenses)
    for license_ in dict.fromkeys(each.license for each in licenses):
        for registered in (True, False):
            labels = (account, license_, str(registered).lower())
            series.add(LICENSES, labels, counts[license_, registered])
