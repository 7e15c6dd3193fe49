"""The probe of IP licences."""

from __future__ import annotations

import json

import pytest

from cln_monitor.probes import PROBES
from cln_monitor.probes.ip_licenses import LicenseState
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import Cln

IP_LICENSES = PROBES["ip_licenses"]
MINUTE = NOW - NOW % 60


def seen(cln: Cln) -> list[LicenseState]:
    """Return what a run sees."""
    run = cln.run(IP_LICENSES)
    assert run.failure is None, run.failure
    (part,) = run.observation.parts
    assert part.name == "licenses"
    states: list[LicenseState] = part.value
    return states


def test_licenses(cln: Cln) -> None:
    """Each licence with its type in words, or as its number; two of one address are two."""
    cln.account.add_ip_license("192.0.2.1", 16, created=MINUTE, last_checkin=MINUTE)
    cln.account.add_ip_license("192.0.2.1", 7215, created=MINUTE, last_checkin=None)
    cln.account.add_ip_license("2001:db8::1", 1, registered=False, created=MINUTE)
    assert seen(cln) == [
        LicenseState("192.0.2.1", "KernelCare", registered=True, created=MINUTE, last_checkin=MINUTE),
        LicenseState("192.0.2.1", "7215", registered=True, created=MINUTE, last_checkin=None),
        LicenseState("2001:db8::1", "CloudLinux OS", registered=False, created=MINUTE, last_checkin=None),
    ]
    assert cln.asked() == ["/ipl/list.json", "/ipl/server.json"]


def test_no_licenses(cln: Cln) -> None:
    """Are an answer, and nobody is asked about no addresses."""
    assert seen(cln) == []
    assert cln.asked() == ["/ipl/list.json"]


def test_a_call_for_each_hundred_addresses(cln: Cln) -> None:
    """However many licences an address has."""
    for number in range(201):
        cln.account.add_ip_license(f"198.18.{number // 256}.{number % 256}", 16)
        cln.account.add_ip_license(f"198.18.{number // 256}.{number % 256}", 1)
    assert len(seen(cln)) == 402
    assert [len(request.query["ip"].split(",")) for request in cln.simulator.requests[1:]] == [100, 100, 1]


def test_a_license_that_the_second_call_lacks(cln: Cln) -> None:
    """Was removed in between: what is paid for is in the list, and it never checked in."""
    cln.account.add_ip_license("192.0.2.1", 16, created=MINUTE)
    cln.simulator.faults.add(Fault("answer", "/ipl/server.json", body=json.dumps({"success": True, "data": []})))
    assert seen(cln) == [LicenseState("192.0.2.1", "KernelCare", registered=True, created=MINUTE, last_checkin=None)]


@pytest.mark.parametrize("path", ["/ipl/list.json", "/ipl/server.json"])
def test_either_call_fails(path: str, cln: Cln) -> None:
    """Nothing is seen, and the failure names the call."""
    cln.account.add_ip_license("192.0.2.1", 16)
    cln.simulator.faults.add(Fault("html", path))
    run = cln.run(IP_LICENSES)
    assert run.observation.parts == ()
    assert run.failure is not None
    assert (run.failure.reason, path in run.failure.text) == ("bad_answer", True)
