"""IP licences with their check-ins."""

from __future__ import annotations

from cln_monitor.exporter.licenses import License, licenses_of
from tests.helpers.clock import NOW

from .conftest import Exporting


def test_each_licence_with_its_check_in(exporting: Exporting) -> None:
    """As the probe saw them, to the minute; one that is unused has none."""
    exporting.account.add_ip_license("192.0.2.1", 16, created=NOW - 100, last_checkin=NOW - 40)
    exporting.account.add_ip_license("192.0.2.2", 1, registered=False, created=NOW - 100)
    exporting.run("ip_licenses")
    observation = exporting.target("ip_licenses").observation
    assert observation is not None
    assert licenses_of(observation) == [
        License("192.0.2.1", "KernelCare", True, NOW - 100, NOW - 40),
        License("192.0.2.2", "CloudLinux OS", False, NOW - 100, None),
    ]
