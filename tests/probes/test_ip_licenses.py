"""The probe of IP licenses."""

from __future__ import annotations

import json

import pytest

from cln_monitor.probes import PROBES, Run, phrases_of, runner
from cln_monitor.probes.ip_licenses import IpLicenseList, LicenseCheckin, LicenseState
from cln_monitor.simulator import Fault
from tests.helpers.clock import NOW

from .conftest import SECRET_KEY, Cln

IP_LICENSES = PROBES["ip_licenses"]
MINUTE = NOW - NOW % 60


def parts_of(run: Run[IpLicenseList]) -> dict[str, IpLicenseList]:
    """Return the parts of a run by name."""
    return {part.name: part.value for part in run.observation.parts}


def seen(cln: Cln) -> dict[str, IpLicenseList]:
    """Return the parts of a run that has no missing parts."""
    run = cln.run(IP_LICENSES)
    assert run.failure is None, run.failure
    return parts_of(run)


def test_licenses(cln: Cln) -> None:
    """Each license has the name or number of its type, and check-ins are separate parts."""
    cln.account.add_ip_license("192.0.2.1", 16, created=MINUTE, last_checkin=MINUTE, server_info="release-8 (4.18)")
    cln.account.add_ip_license("192.0.2.1", 9999, created=MINUTE, last_checkin=None, server_info="x" * 200)
    cln.account.add_ip_license("2001:db8::1", 1, registered=False, created=MINUTE)
    assert seen(cln) == {
        "licenses": IpLicenseList(
            licenses=[
                LicenseState("192.0.2.1", "KernelCare", registered=True, created=MINUTE),
                LicenseState("192.0.2.1", "9999", registered=True, created=MINUTE),
                LicenseState("2001:db8::1", "CloudLinux OS", registered=False, created=MINUTE),
            ]
        ),
        "check-ins 1": IpLicenseList(
            checkins=[
                LicenseCheckin("192.0.2.1", "KernelCare", MINUTE, "release-8 (4.18)"),
                LicenseCheckin("192.0.2.1", "9999", None, "x" * 127 + "…"),
                LicenseCheckin("2001:db8::1", "CloudLinux OS", None),
            ]
        ),
    }
    assert cln.asked() == ["/ipl/list.json", "/ipl/server.json"]


def test_a_secret_in_the_operating_system_is_hidden(cln: Cln) -> None:
    """The operating system is text of CLN, in which secrets are replaced."""
    cln.account.add_ip_license("192.0.2.1", 16, created=MINUTE, server_info=f"release-8 ({SECRET_KEY})")
    (checkin,) = seen(cln)["check-ins 1"].checkins
    assert checkin.os == "release-8 (<secret>)"


def test_no_licenses(cln: Cln) -> None:
    """An account without licenses is not an error, and no check-ins are requested."""
    assert seen(cln) == {"licenses": IpLicenseList()}
    assert cln.asked() == ["/ipl/list.json"]


def add_addresses(cln: Cln, number: int) -> None:
    """Give the account this number of addresses with two licenses each."""
    for each in range(number):
        cln.account.add_ip_license(f"198.18.{each // 256}.{each % 256}", 16)
        cln.account.add_ip_license(f"198.18.{each // 256}.{each % 256}", 1)


def test_a_part_for_each_hundred_addresses(cln: Cln) -> None:
    """Check-ins are read per hundred addresses, not licenses."""
    add_addresses(cln, 201)
    parts = seen(cln)
    assert list(parts) == ["licenses", "check-ins 1", "check-ins 2", "check-ins 3"]
    assert len(parts["licenses"].licenses) == 402
    assert [len(part.checkins) for part in parts.values()] == [0, 200, 200, 2]
    assert [len(request.query["ip"].split(",")) for request in cln.simulator.requests[1:]] == [100, 100, 1]


def test_a_license_that_the_second_call_lacks(cln: Cln) -> None:
    """A license without a check-in row stays in the list, with an unknown check-in."""
    cln.account.add_ip_license("192.0.2.1", 16, created=MINUTE)
    cln.simulator.faults.add(Fault("answer", "/ipl/server.json", body=json.dumps({"success": True, "data": []})))
    parts = seen(cln)
    assert parts["licenses"].licenses == [LicenseState("192.0.2.1", "KernelCare", registered=True, created=MINUTE)]
    assert parts["check-ins 1"].checkins == []
    (phrase,) = phrases_of(cln.run(PROBES["ip_licenses"]).observation.all_cautions)
    assert phrase.text == "CLN reports no last_checkin of 1 server of IP licenses"


def test_the_list_fails(cln: Cln) -> None:
    """A failed list is reported with its call, and there are no parts."""
    cln.account.add_ip_license("192.0.2.1", 16)
    cln.simulator.faults.add(Fault("html", "/ipl/list.json"))
    run = cln.run(IP_LICENSES)
    assert (run.observation.parts, run.observation.list_known) == ((), False)
    assert run.failure is not None
    assert (run.failure.reason, "/ipl/list.json" in run.failure.text) == ("bad_answer", True)


def test_checkins_fail(cln: Cln) -> None:
    """Failed check-ins do not affect the list and other check-ins."""
    add_addresses(cln, 101)
    cln.simulator.faults.add(Fault("html", "/ipl/server.json", match="198.18.0.7"))
    run = cln.run(IP_LICENSES)
    assert list(parts_of(run)) == ["licenses", "check-ins 2"]
    assert len(parts_of(run)["licenses"].licenses) == 202
    assert ([missing.name for missing in run.observation.missing], run.observation.list_known) == (
        ["check-ins 1"],
        True,
    )
    assert run.failure is not None
    assert (run.failure.reason, "/ipl/server.json" in run.failure.text) == ("bad_answer", True)


def test_an_outage_does_not_lose_the_list(cln: Cln, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage after the list was read does not lose the list."""
    monkeypatch.setattr(runner, "_SUSPICIOUS", 2)
    add_addresses(cln, 401)
    cln.simulator.faults.add(Fault("reset", "/ipl/server.json"))
    cln.simulator.faults.add(Fault("reset", "/status*"))
    run = cln.run(IP_LICENSES)
    assert list(parts_of(run)) == ["licenses"]
    assert "not attempted after 2 consecutive requests without a response" in run.observation.missing[-1].failure.text
