"""The metrics of IP licenses (API document, "IP-based licenses API")."""

from __future__ import annotations

from collections import Counter

from cln_monitor.exporter.licenses import License, licenses_of
from cln_monitor.exporter.metrics.families import POLLED, Family, Series
from cln_monitor.probes import IpLicenseList, IpLicensesSettings, Observation, ProbeReport

from .servers import add_ages, age_family, host_family

_LABELS = ("account", "ip", "license")
_REGISTERED = {True: "true", False: "false", None: "unknown"}

REGISTERED = Family(
    "cln_ip_license_registered",
    "Whether a server uses the IP license, registered in /ipl/list.json; 0 if it is unused but paid for, absent if not "
    f"reported. {POLLED}",
    _LABELS,
)
LAST_CHECKIN = Family(
    "cln_ip_license_last_checkin_timestamp_seconds",
    f"Unix time of the last check-in, last_checkin in /ipl/server.json; absent if never or unknown. {POLLED}",
    _LABELS,
)
CREATED = Family(
    "cln_ip_license_created_timestamp_seconds",
    f"Unix time at which the IP license was created, created in /ipl/list.json. {POLLED}",
    _LABELS,
)
LICENSES = Family(
    "cln_ip_licenses",
    f"Number of IP licenses in /ipl/list.json by type and registered. {POLLED}",
    ("account", "license", "registered"),
)
SERVER_INFO = Family(
    "cln_ip_license_server_info",
    "Server that uses the IP license, with its operating system and kernel, server_info in /ipl/server.json, as os; "
    f"always 1, absent without server_info. {POLLED}",
    (*_LABELS, "os"),
)
HOST_INFO = host_family("cln_ip_license_host_info", "the server at an address with IP licenses", ("account", "ip"))
CHECKIN_AGE = age_family(
    "cln_ip_license_checkin_age_seconds_bucket", "last_checkin of /ipl/server.json", ("account", "license")
)
FAMILIES = (LICENSES, REGISTERED, LAST_CHECKIN, CREATED, SERVER_INFO, HOST_INFO, CHECKIN_AGE)
PER_SERVER = (REGISTERED, LAST_CHECKIN, CREATED, SERVER_INFO, HOST_INFO)


def render(observation: Observation[IpLicenseList], settings: IpLicensesSettings, series: Series) -> None:
    """Add the series of ``observation`` to ``series``."""
    account = observation.account
    licenses = licenses_of(observation)
    _count(account, licenses, series)
    if not settings.server_series:
        _add_ages(account, licenses, series)
        return
    for license_ in licenses:
        labels = (account, license_.ip, license_.license)
        if license_.registered is not None:
            series.add(REGISTERED, labels, int(license_.registered))
        if license_.last_checkin:
            series.add(LAST_CHECKIN, labels, license_.last_checkin)
        if license_.created is not None:
            series.add(CREATED, labels, license_.created)
        if license_.os:
            series.add(SERVER_INFO, (*labels, license_.os), 1)


def render_hosts(report: ProbeReport, series: Series) -> None:
    """Add the host names of the servers with the licenses in ``report``."""
    for ip, host in report.host_names.items():
        series.add(HOST_INFO, (report.account, ip, host), 1)


def _count(account: str, licenses: list[License], series: Series) -> None:
    counts = Counter((license_.license, license_.registered) for license_ in licenses)
    for type_ in dict.fromkeys(license_.license for license_ in licenses):
        for registered, name in _REGISTERED.items():
            series.add(LICENSES, (account, type_, name), counts[type_, registered])


def _add_ages(account: str, licenses: list[License], series: Series) -> None:
    ages: dict[str, list[float]] = {}
    for license_ in licenses:
        if license_.is_used and license_.read_at is not None:
            type_ages = ages.setdefault(license_.license, [])
            type_ages += [license_.read_at - license_.last_checkin] if license_.last_checkin else []
    for type_, type_ages in ages.items():
        add_ages(series, CHECKIN_AGE, (account, type_), type_ages)
