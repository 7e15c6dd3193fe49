"""The problems of an ePortal on the status page."""

from __future__ import annotations

from msgspec.structs import replace

from cln_monitor.exporter.web.status_page.eportal_problems import eportal_problems
from cln_monitor.exporter.web.status_page.problem import Problem
from cln_monitor.patches import LivePatch
from cln_monitor.policy import Severity
from cln_monitor.probes import EportalFleet, EportalServerState
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import HOUR, kernelcare, key, server, status_of

KERNEL = "1a" * 20
CVE = "CVE-2026-11111"
FIXED = EportalServerState(
    "id1", "k", "main", "10.0.4.7", "app1", NOW - HOUR, kernel_id=KERNEL, patch_level=31, is_updated=True
)
UNFIXED = replace(
    FIXED, server_id="id2", hostname="app2", patch_level=30, effective_kernel="4.18.0-553.80.1.el8", is_updated=False
)
BARE = replace(FIXED, server_id="id3", hostname="", patch_level=0, is_updated=None)
UNKNOWN = replace(FIXED, server_id="id4", hostname="app4", patch_level=None, is_updated=None)
PATCHES = [LivePatch(KERNEL, 31, (CVE,)), LivePatch(KERNEL, 30, ())]


def found(
    *servers: EportalServerState, patches: list[LivePatch] = PATCHES, cves: tuple[str, ...] = (CVE,)
) -> list[Problem]:
    """Return the problems of an ePortal with ``servers``."""
    fleet = EportalFleet(list(servers), patches, {KERNEL: 31}, list(cves))
    return list(
        eportal_problems(status_of(observed({"servers": fleet}, account="dc1", probe="eportal"), account="dc1"), NOW)
    )


def texts(problems: list[Problem]) -> list[str]:
    """Return the texts of warnings."""
    assert {problem.severity for problem in problems} <= {Severity.WARNING}
    return [problem.text for problem in problems]


def test_all_is_well() -> None:
    """Servers with the newest patch, which has the fix, are no problem, and neither is an empty ePortal."""
    assert found(FIXED) == found() == []


def test_not_fixed() -> None:
    """A CVE that a loaded patch does not have is a problem that names the servers and their patches."""
    problems = found(FIXED, UNFIXED, BARE)
    assert texts(problems) == [
        f"{CVE} is not in the loaded live patch of 2 servers of dc1",
        "1 server of dc1 does not have the newest patch",
    ]
    assert [problem.alert for problem in problems] == ["ClnCveNotFixed", "ClnServersBehind"]
    assert problems[0].details is not None
    assert problems[0].details.items == ["app2: patch 30, 4.18.0-553.80.1.el8", "10.0.4.7: no patch"]


def test_unknown() -> None:
    """That nothing is known about a CVE is a problem too, unless it is known not to be fixed somewhere."""
    assert texts(found(FIXED, UNKNOWN)) == [f"Whether {CVE} is in the loaded live patch of 1 server of dc1 is unknown"]
    assert texts(found(BARE, UNKNOWN)) == [
        f"{CVE} is not in the loaded live patch of 1 server of dc1, and unknown of 1 more"
    ]
    [problem] = found(FIXED, UNKNOWN)
    assert problem.alert == "ClnCveNotFixed"
    assert problem.details is not None
    assert problem.details.items == ["app4: an unknown patch"]


def test_outage_of_the_patch_server() -> None:
    """Without any description of a patch nothing is fixed, and the page does not say that all is well."""
    assert texts(found(FIXED, patches=[])) == [
        f"Whether {CVE} is in the loaded live patch of 1 server of dc1 is unknown"
    ]
    assert found(FIXED, patches=[], cves=()) == []


def test_silent() -> None:
    """A server is silent after stale_after, by default two days; one that never checked in is not."""
    silent = replace(FIXED, last_checkin=NOW - 48 * HOUR - 1)
    assert texts(found(silent, replace(FIXED, last_checkin=None))) == ["1 server of dc1 silent for longer than 2d"]
    assert [problem.alert for problem in found(silent)] == ["ClnEportalServersSilent"]
    assert found(replace(FIXED, last_checkin=NOW - 48 * HOUR)) == []


def test_other_probes() -> None:
    """The data of other probes are not judged here."""
    assert list(eportal_problems(status_of(kernelcare(key("a", server("1", HOUR)))), NOW)) == []
    assert list(eportal_problems(status_of(probe="eportal"), NOW)) == []
