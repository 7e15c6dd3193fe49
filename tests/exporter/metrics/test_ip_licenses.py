"""Tests of the metrics of IP licenses."""

from __future__ import annotations

import msgspec

from cln_monitor.exporter.metrics.ip_licenses import render
from cln_monitor.probes.ip_licenses import IpLicenseList, IpLicensesSettings, LicenseCheckin, LicenseState
from tests.exporter.parsing import parse
from tests.helpers.clock import NOW

from .rendering import observed, text_of

LICENSES = IpLicenseList(
    licenses=[
        LicenseState("192.0.2.1", "KernelCare", registered=True, created=NOW - 100),
        LicenseState("192.0.2.2", "KernelCare", registered=True, created=None),
        LicenseState("2001:db8::1", "7215", registered=False, created=NOW - 200),
    ]
)
CHECKINS = IpLicenseList(
    checkins=[
        LicenseCheckin("192.0.2.1", "KernelCare", NOW - 60),
        LicenseCheckin("192.0.2.2", "KernelCare", None),
        LicenseCheckin("2001:db8::1", "7215", None),
    ]
)
PARTS = {"licenses": LICENSES, "check-ins 1": CHECKINS}


def test_licenses() -> None:
    """Licenses are counted by type and use, including zeros, with one series per address for each reported field."""
    text = text_of(render, observed(PARTS, probe="ip_licenses"), IpLicensesSettings())
    assert (
        text
        == """\
cln_ip_licenses{account="acme",license="KernelCare",registered="true"} 2
cln_ip_licenses{account="acme",license="KernelCare",registered="false"} 0
cln_ip_licenses{account="acme",license="KernelCare",registered="unknown"} 0
cln_ip_licenses{account="acme",license="7215",registered="true"} 0
cln_ip_licenses{account="acme",license="7215",registered="false"} 1
cln_ip_licenses{account="acme",license="7215",registered="unknown"} 0
cln_ip_license_registered{account="acme",ip="192.0.2.1",license="KernelCare"} 1
cln_ip_license_registered{account="acme",ip="192.0.2.2",license="KernelCare"} 1
cln_ip_license_registered{account="acme",ip="2001:db8::1",license="7215"} 0
cln_ip_license_last_checkin_timestamp_seconds{account="acme",ip="192.0.2.1",license="KernelCare"} 1714490740
cln_ip_license_created_timestamp_seconds{account="acme",ip="192.0.2.1",license="KernelCare"} 1714490700
cln_ip_license_created_timestamp_seconds{account="acme",ip="2001:db8::1",license="7215"} 1714490600
"""
    )
    assert len(parse(text)) == 12


def test_operating_systems() -> None:
    """The operating system of a server is a label of a series of its own, one of the per-server series."""
    checkin = LicenseCheckin("192.0.2.1", "KernelCare", NOW - 60, 'release-8 "x"')
    observation = observed({"licenses": LICENSES, "c": IpLicenseList(checkins=[checkin])}, probe="ip_licenses")
    line = 'cln_ip_license_server_info{account="acme",ip="192.0.2.1",license="KernelCare",os="release-8 \\"x\\""} 1\n'
    assert line in text_of(render, observation, IpLicensesSettings())
    assert "server_info" not in text_of(render, observation, IpLicensesSettings(server_series=False))


def test_server_series_off() -> None:
    """With server_series: false a histogram of the ages of licenses in use replaces the per-address series."""
    settings = IpLicensesSettings(server_series=False)
    text = text_of(render, observed(PARTS, probe="ip_licenses"), settings)
    assert 'ip="' not in text
    assert text.count("cln_ip_licenses{") == 6
    ages = [line for line in text.splitlines() if "age_seconds" in line]
    assert ages[0] == 'cln_ip_license_checkin_age_seconds_bucket{account="acme",license="KernelCare",le="3600"} 1'
    assert (len(ages), ages[-1].split(",")[-1]) == (10, 'le="+Inf"} 1')
    older = msgspec.structs.replace(CHECKINS, checkins=[LicenseCheckin("192.0.2.1", "KernelCare", NOW - 7260)])
    observation = observed({"licenses": LICENSES}, probe="ip_licenses")
    (kept,) = observed({"check-ins 1": older}, at=NOW - 3660).parts
    text = text_of(render, msgspec.structs.replace(observation, parts=(*observation.parts, kept)), settings)
    assert 'le="3600"} 1' in text


def test_unknown_use() -> None:
    """A license whose use is unknown is counted as unknown, and has a check-in but no registered series."""
    parts = {
        "licenses": IpLicenseList(licenses=[LicenseState("192.0.2.1", "KernelCare", None, None)]),
        "check-ins 1": CHECKINS,
    }
    text = text_of(render, observed(parts, probe="ip_licenses"), IpLicensesSettings())
    assert text.splitlines() == [
        'cln_ip_licenses{account="acme",license="KernelCare",registered="true"} 0',
        'cln_ip_licenses{account="acme",license="KernelCare",registered="false"} 0',
        'cln_ip_licenses{account="acme",license="KernelCare",registered="unknown"} 1',
        'cln_ip_license_last_checkin_timestamp_seconds{account="acme",ip="192.0.2.1",license="KernelCare"} 1714490740',
    ]


def test_no_licenses() -> None:
    """Types without licenses are not counted."""
    assert text_of(render, observed({"licenses": IpLicenseList()}, probe="ip_licenses"), IpLicensesSettings()) == ""


def test_without_checkins() -> None:
    """Without check-ins the fields of the list are exposed."""
    text = text_of(render, observed({"licenses": LICENSES}, probe="ip_licenses"), IpLicensesSettings())
    whole = text_of(render, observed(PARTS, probe="ip_licenses"), IpLicensesSettings())
    assert text.splitlines() == [line for line in whole.splitlines() if "last_checkin" not in line]


def test_checkins_of_an_earlier_run() -> None:
    """The newer of two check-ins is exposed in any order; those of a removed license are not."""
    older = IpLicenseList(
        checkins=[LicenseCheckin("192.0.2.1", "KernelCare", NOW - 900), LicenseCheckin("192.0.2.9", "KernelCare", NOW)]
    )
    now = observed(PARTS, probe="ip_licenses")
    (kept,) = observed({"check-ins 2": older}, at=NOW - 600).parts
    for parts in ((*now.parts, kept), (kept, *now.parts)):
        observation = msgspec.structs.replace(now, parts=parts)
        text = text_of(render, observation, IpLicensesSettings())
        assert text == text_of(render, now, IpLicensesSettings())
    assert text_of(render, msgspec.structs.replace(now, parts=(kept,)), IpLicensesSettings()) == ""
