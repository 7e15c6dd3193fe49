"""The metrics of IP licences (API document, "IP-based licenses API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.licenses import License, licenses_of
from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import IpLicenseList, IpLicensesSettings, Observation

from .servers import add_ages, age_family

_LABELS = ("account", "ip", "license")
_REGISTERED = {True: "true", False: "false", None: "unknown"}

REGISTERED = Family(
    "cln_ip_license_registered",
    "Whether a server uses the IP licence, registered of /ipl/list.json; 0 is paid for and unused, absent where CLN "
    f"does not tell. {POLLED}",
    _LABELS,
)
LAST_CHECKIN = Family(
    "cln_ip_license_last_checkin_timestamp_seconds",
    f"Unix time of last_checkin of /ipl/server.json, absent if never or unknown. {POLLED}",
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
CHECKIN_AGE = age_family(
    "cln_ip_license_checkin_age_seconds_bucket", "last_checkin of /ipl/server.json", ("account", "license")
)
FAMILIES = (LICENSES, REGISTERED, LAST_CHECKIN, CREATED, CHECKIN_AGE)
PER_SERVER = (REGISTERED, LAST_CHECKIN, CREATED)


def render(observation: Observation[IpLicenseList], settings: IpLicensesSettings, series: Series) -> None:
    """Write the series of ``observation``."""
    account = observation.account
    licenses = licenses_of(observation)
    _count(account, licenses, series)
    if not settings.server_series:
        _add_ages(account, licenses, series)
        return
    for each in licenses:
        labels = (account, each.ip, each.license)
        if each.registered is not None:
            series.add(REGISTERED, labels, int(each.registered))
        if each.last_checkin:
            series.add(LAST_CHECKIN, labels, each.last_checkin)
        if each.created is not None:
            series.add(CREATED, labels, each.created)


def _count(account: str, licenses: list[License], series: Series) -> None:
    counts = Counter((each.license, each.registered) for each in licenses)
    for license_ in dict.fromkeys(each.license for each in licenses):
        for registered, name in _REGISTERED.items():
            series.add(LICENSES, (account, license_, name), counts[license_, registered])


def _add_ages(account: str, licenses: list[License], series: Series) -> None:
    ages: dict[str, list[float]] = {}
    for each in licenses:
        if each.is_used and each.read_at is not None:
            of_type = ages.setdefault(each.license, [])
            of_type += [each.read_at - each.last_checkin] if each.last_checkin else []
    for license_, of_type in ages.items():
        add_ages(series, CHECKIN_AGE, (account, license_), of_type)
