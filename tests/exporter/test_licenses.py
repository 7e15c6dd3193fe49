"""Tests of IP licenses joined with their check-ins."""

from __future__ import annotations

from msgspec import UNSET

from cln_monitor.exporter.licenses import License, licenses_of
from cln_monitor.probes import Observation, Part
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseCheckin, LicenseState
from tests.helpers.clock import NOW

from .conftest import Exporting

SERVER_INFO = "cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)"  # of the simulator


def test_licenses_with_check_ins(exporting: Exporting) -> None:
    """Each IP license has its check-in, and an unused one has none."""
    exporting.account.add_ip_license("192.0.2.1", 16, created=NOW - 100, last_checkin=NOW - 40)
    exporting.account.add_ip_license("192.0.2.2", 1, registered=False, created=NOW - 100)
    exporting.run("ip_licenses")
    observation = exporting.target("ip_licenses").observation
    assert observation is not None
    assert licenses_of(observation) == [
        License("192.0.2.1", "KernelCare", True, NOW - 100, NOW - 40, observation.observed_at, SERVER_INFO),
        License("192.0.2.2", "CloudLinux OS", False, NOW - 100, None, observation.observed_at),
    ]


def test_unknown_check_ins() -> None:
    """An unknown check-in differs from none, and the newer of two check-ins counts."""
    one, two = LicenseState("192.0.2.1", "a", True, None), LicenseState("192.0.2.2", "a", True, None)
    parts = (
        Part("check-ins 1", NOW, IpLicenseList(checkins=[LicenseCheckin("192.0.2.1", "a", NOW)]), 60.0),
        Part("check-ins 2", NOW - 60, IpLicenseList(checkins=[LicenseCheckin("192.0.2.1", "a", NOW - 60)])),
        Part("licenses", NOW, IpLicenseList(licenses=[one, two])),
    )
    licenses = licenses_of(Observation("ip_licenses", "acme", "cln.example.net", NOW, parts))
    assert [(license_.last_checkin, license_.read_at) for license_ in licenses] == [(NOW, NOW), (UNSET, None)]
