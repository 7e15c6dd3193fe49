"""The section of ePortals on the status page."""

from __future__ import annotations

from msgspec.structs import replace

from cln_monitor.exporter.web.status_page.eportal_tables import (
    CveRow,
    EportalServerRow,
    count_behind,
    eportal_servers,
    eportals,
)
from cln_monitor.exporter.web.status_page.formatting import MAX_ROWS
from cln_monitor.exporter.web.status_page.model import overview
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.patches import LivePatch
from cln_monitor.probes import Caution, EportalFleet, EportalServerState
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, server, status_of

KERNEL = "1a" * 20
CVE, OLD = "CVE-2026-11111", "CVE-2026-22222"
FIXED = EportalServerState(
    "id1", "k", "main", "10.0.4.7", "app1", NOW - HOUR, kernel_id=KERNEL, patch_level=31, is_updated=True
)
BEHIND = replace(
    FIXED, server_id="id2", hostname="app2", patch_level=30, effective_kernel="4.18.0-553.80.1.el8", is_updated=False
)
SILENT = replace(FIXED, server_id="id3", hostname="app3", last_checkin=NOW - 3 * DAY)
BARE = replace(FIXED, server_id="id4", hostname="", patch_level=0, is_updated=None)
UNKNOWN = replace(FIXED, server_id="id5", hostname="app5", ip="", patch_level=None, is_updated=None)
PATCHES = [
    LivePatch(KERNEL, 31, (CVE, OLD), built_at=NOW - DAY),
    LivePatch(KERNEL, 30, (OLD,), built_at=NOW - 30 * DAY),
]


def status(*servers: EportalServerState, account: str = "dc1", cves: tuple[str, ...] = (CVE, OLD)) -> ProbeStatus:
    """Return the status of an ePortal with ``servers``."""
    fleet = EportalFleet(list(servers), PATCHES, {KERNEL: 31}, list(cves))
    return status_of(observed({"servers": fleet}, account=account, probe="eportal"), account=account)


def test_an_eportal() -> None:
    """An ePortal has its servers by whether they are up to date, and each CVE with its servers by state."""
    [row] = eportals([status(FIXED, BEHIND, SILENT, BARE)]).rows
    assert (row.account, row.total) == ("dc1", "4 servers")
    assert row.pieces == (
        ("uptodate", "up to date", "2", 0.0, 50.0),
        ("outofdate", "behind", "1", 50.0, 25.0),
        ("inactive", "not judged", "1", 75.0, 25.0),
    )
    assert row.cves.rows == [
        CveRow(CVE, "fixed on 2, not fixed on 2", "warning"),
        CveRow(OLD, "fixed on 3, not fixed on 1", "warning"),
    ]
    assert count_behind([status(FIXED, BEHIND, SILENT, BARE)]) == (1, 4)


def test_the_coverage_of_a_cve() -> None:
    """A CVE is only good if its fix is known on all servers; an ePortal without servers has none."""
    [good], [unknown], [empty] = (
        eportals([status(*servers, cves=(CVE,))]).rows[0].cves.rows for servers in ((FIXED,), (FIXED, UNKNOWN), ())
    )
    assert good == CveRow(CVE, "fixed on 1", "ok")
    assert unknown == CveRow(CVE, "fixed on 1, unknown on 1", "warning")
    assert empty == CveRow(CVE, "no servers", "ok")


def test_servers_that_need_attention() -> None:
    """Servers that are behind, silent, or without a fix are listed with the reason; those that are fine are not."""
    table = eportal_servers([status(SILENT, FIXED, BEHIND, BARE, UNKNOWN)], NOW)
    assert [(row.host, row.patch, row.why) for row in table.rows] == [
        ("", "none", f"{CVE}, {OLD} not fixed"),
        ("app2", "30", f"behind; {CVE} not fixed"),
        ("app3", "31", "silent for 3d"),
        ("app5", "unknown", f"{CVE}, {OLD} unknown"),
    ]
    assert table.rows[1] == EportalServerRow(
        "dc1", "app2", "10.0.4.7", "k", "main", "30", "4.18.0-553.80.1.el8", "30d", f"behind; {CVE} not fixed"
    )
    assert (table.rows[3].ip, table.rows[3].built) == ("no address", "")


def test_unknown_patches_hide_no_others() -> None:
    """Servers whose patch is unknown come last, after those without a patch and those with an old one."""
    foreign = replace(FIXED, server_id="id6", hostname="app6", kernel_id="2b" * 20)
    [first, second, *_] = eportal_servers([status(*[UNKNOWN, foreign] * MAX_ROWS, BEHIND, BARE)], NOW).rows
    assert (first.patch, second.host) == ("none", "app2")


def test_many_servers() -> None:
    """The first servers are listed, and the others are counted."""
    table = eportal_servers([status(*[BEHIND] * (MAX_ROWS + 7))], NOW)
    assert (len(table.rows), table.more) == (MAX_ROWS, 7)


def test_the_section_of_an_eportal() -> None:
    """The page has the section and the number of servers behind; other probes, and an ePortal without data, do not."""
    page = overview([status(FIXED, BEHIND), status_of(probe="eportal", account="dc2")], NOW)
    assert [row.account for row in page.eportals.rows] == ["dc1"]
    [figure] = [figure for figure in page.figures if figure.link == "eportals"]
    assert (figure.value, figure.label) == ("1", "of 2 servers of ePortals behind the newest live patch")
    assert {problem.kind for problem in page.problems} == {"eportals"}
    other = overview([status_of(kernelcare(key("a", server("1", HOUR))))], NOW)
    assert (other.eportals.rows, other.eportal_servers.rows) == ([], [])


def test_unexpected_data_of_an_eportal() -> None:
    """Unexpected data of an ePortal are in its section, and are not said to come from CLN."""
    of_eportal = status(FIXED)
    observation = of_eportal.view.observation
    assert observation is not None
    (part,) = observation.parts
    caution = Caution("field_missing", ("ip of 1 server of the ePortal",))
    observation = replace(observation, parts=(replace(part, cautions=(caution,)),))
    [problem] = overview([status_of(observation, probe="eportal", account="dc1")], NOW).problems
    assert problem.text == "The ePortal reports no ip of 1 server of the ePortal (ePortal of dc1)"
    assert (problem.kind, problem.alert) == ("eportals", "ClnAnswerOdd")
