"""The text of the metrics of IP licences."""

from __future__ import annotations

from cln_monitor.exporter.metrics.ip_licenses import render
from cln_monitor.probes.ip_licenses import IpLicensesSettings, LicenseState
from tests.exporter.parsing import parse
from tests.helpers.clock import NOW

from .rendering import observed, text_of

LICENSES = [
    LicenseState("192.0.2.1", "KernelCare", registered=True, created=NOW - 100, last_checkin=NOW - 60),
    LicenseState("192.0.2.2", "KernelCare", registered=True, created=None, last_checkin=None),
    LicenseState("2001:db8::1", "7215", registered=False, created=NOW - 200, last_checkin=None),
]


def test_licenses() -> None:
    """Counted by type and use, zeros included; a series an address, absent where CLN tells nothing."""
    text = text_of(render, observed({"licenses": LICENSES}, probe="ip_licenses"), IpLicensesSettings())
    assert (
        text
        == """\
cln_ip_licenses{account="acme",license="KernelCare",registered="true"} 2
cln_ip_licenses{account="acme",license="KernelCare",registered="false"} 0
cln_ip_licenses{account="acme",license="7215",registered="true"} 0
cln_ip_licenses{account="acme",license="7215",registered="false"} 1
cln_ip_license_registered{account="acme",ip="192.0.2.1",license="KernelCare"} 1
cln_ip_license_registered{account="acme",ip="192.0.2.2",license="KernelCare"} 1
cln_ip_license_registered{account="acme",ip="2001:db8::1",license="7215"} 0
cln_ip_license_last_checkin_timestamp_seconds{account="acme",ip="192.0.2.1",license="KernelCare"} 1714490740
cln_ip_license_created_timestamp_seconds{account="acme",ip="192.0.2.1",license="KernelCare"} 1714490700
cln_ip_license_created_timestamp_seconds{account="acme",ip="2001:db8::1",license="7215"} 1714490600
"""
    )
    assert len(parse(text)) == 10


def test_server_series_off() -> None:
    """The counts stay, the series an address go."""
    settings = IpLicensesSettings(server_series=False)
    text = text_of(render, observed({"licenses": LICENSES}, probe="ip_licenses"), settings)
    assert 'ip="' not in text
    assert text.count("cln_ip_licenses{") == 4


def test_no_licenses() -> None:
    """Nothing is counted of types that the account does not have."""
    assert text_of(render, observed({"licenses": []}, probe="ip_licenses"), IpLicensesSettings()) == ""
