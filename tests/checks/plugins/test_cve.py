"""The check of CVE coverage."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor import facts
from cln_monitor.checks.plugin_exit import CheckError
from cln_monitor.checks.plugins.cve import judge
from tests.checks.eportal_reports import CVE, OTHER, patch, report, server
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import missing, view
from tests.helpers.clock import NOW

NAME = "check_cln_cve"
FIXED, UNFIXED, BARE = server("app1"), server("app2", 30), server("app3", 0)
UNKNOWN, FOREIGN = server("app4", None), server("app5", 7, kernel_id="2b" * 20)


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a report."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


def counts(outcome: Outcome) -> dict[str, float]:
    """Return the perfdata as numbers."""
    return {label: item.value for label, item in outcome.perfdata.items()}


def test_fixed_everywhere() -> None:
    """A CVE that all loaded patches fix is OK."""
    outcome = judged(report(FIXED, server("app6")), "--cve", CVE)
    assert (outcome.state, outcome.text) == ("OK", f"{CVE}: in the loaded live patch of all 2 servers")
    assert counts(outcome) == {"servers": 2, "fixed": 2, "not_fixed": 0, "unknown": 0}
    assert judged(report(FIXED), "--cve", CVE).text == f"{CVE}: in the loaded live patch of the only server"


def test_a_server_without_the_fix() -> None:
    """Servers without the fix are named with their patch, those without any first, and are not called vulnerable."""
    outcome = judged(report(FIXED, UNFIXED, BARE), "--cve", CVE)
    assert outcome.output == (
        f"WARNING - {CVE} is not in the loaded live patch of 2 of 3 servers: app3 10.0.4.7 (no patch), "
        "app2 10.0.4.7 (patch 30, built 9d ago) | fixed=1;;;0 not_fixed=2;0;;0 servers=3;;;0 unknown=0;;;0\n"
        "A server without the fix in its live patch is not necessarily vulnerable: the kernel that it booted may have "
        "the fix, or never had the flaw.\n"
        f"{CVE} not fixed: app3 10.0.4.7 (no patch), kernel 4.18.0-553.90.1.el8\n"
        f"{CVE} not fixed: app2 10.0.4.7 (patch 30, built 9d ago), kernel 4.18.0-553.90.1.el8\n"
    )


@pytest.mark.parametrize(
    ("servers", "arguments", "state"),
    [
        ((FIXED, UNKNOWN), (), "UNKNOWN"),
        ((FIXED, FOREIGN), (), "UNKNOWN"),
        ((FIXED, FOREIGN), ("-w", "5"), "UNKNOWN"),
        ((UNFIXED, UNKNOWN), (), "WARNING"),
        ((UNFIXED, UNKNOWN), ("-c", "0"), "CRITICAL"),
        ((UNFIXED, UNKNOWN), ("-w", "1"), "UNKNOWN"),
        ((UNFIXED, UNKNOWN), ("-w", "2"), "OK"),
        ((UNFIXED, UNKNOWN, FOREIGN), ("-w", "4", "-c", "@2:2"), "UNKNOWN"),
        ((UNFIXED, BARE), ("-w", "2"), "OK"),
        ((UNFIXED, BARE), ("-w", "1"), "WARNING"),
        ((UNFIXED, BARE), ("-w", "1", "-c", "1"), "CRITICAL"),
        ((FIXED,), ("-w", "1:"), "WARNING"),
        ((FIXED, UNKNOWN), ("-w", "1:"), "WARNING"),
    ],
)
def test_states(servers: tuple[dict[str, Any], ...], arguments: tuple[str, ...], state: str) -> None:
    """A server known not to have the fix decides, and unknown ones never turn the result good."""
    assert judged(report(*servers), "--cve", CVE, *arguments).state == state


@pytest.mark.parametrize(
    ("servers", "arguments", "reason"),
    [
        ((UNFIXED, UNKNOWN), ("-w", "1"), "1 to 2 servers lack a fix: whether that is over 1 is unknown"),
        ((FIXED, *[UNKNOWN] * 7), ("-w", "5"), "0 to 7 servers lack a fix: whether that is over 5 is unknown"),
        ((UNFIXED, UNKNOWN), ("-w", "5", "-c", "@2:2"), "whether that is over 5 or inside 2:2 is unknown"),
    ],
)
def test_unknown_servers_may_exceed_a_range(
    servers: tuple[dict[str, Any], ...], arguments: tuple[str, ...], reason: str
) -> None:
    """If only the unknown servers decide whether a given range is exceeded, the first line says so."""
    outcome = judged(report(*servers), "--cve", CVE, *arguments)
    assert (outcome.state, reason in outcome.text) == ("UNKNOWN", True), outcome.text


@pytest.mark.parametrize("arguments", [(), ("-w", "9")])
@pytest.mark.parametrize("servers", [(UNFIXED, UNKNOWN), (FIXED, UNKNOWN), (UNFIXED,)])
def test_unknown_servers_do_not_exceed_a_range(servers: tuple[dict[str, Any], ...], arguments: tuple[str, ...]) -> None:
    """Nothing is said about the ranges if the unknown servers do not change the state, or if none is given."""
    assert "lack a fix" not in judged(report(*servers), "--cve", CVE, *arguments).text


def test_unknown() -> None:
    """Servers whose patch is unknown are counted and named."""
    outcome = judged(report(FIXED, UNKNOWN, FOREIGN), "--cve", CVE)
    assert outcome.text == (
        f"whether {CVE} is in the loaded live patch is unknown of 2 of 3 servers: app4 10.0.4.7 (unknown patch), "
        "app5 10.0.4.7 (patch 7)"
    )
    assert counts(outcome) == {"servers": 3, "fixed": 1, "not_fixed": 0, "unknown": 2}
    assert [line.split(", kernel")[0] for line in outcome.lines if " unknown (" in line] == [
        f"{CVE} unknown (the ePortal reports no patch level): app4 10.0.4.7 (unknown patch)",
        f"{CVE} unknown (no description of the patch from the patch server): app5 10.0.4.7 (patch 7)",
    ]
    also = judged(report(UNFIXED, UNKNOWN), "--cve", CVE)
    assert f"{CVE} is not in the loaded live patch of 1 of 2 servers, unknown of 1 more: app2" in also.text


def test_a_patch_that_was_read_in_part() -> None:
    """A patch with fixes of unknown CVEs does not have those that it names not."""
    seen = report(FIXED, patches=[patch(31, OTHER, unread=1)])
    assert judged(seen, "--cve", CVE).state == "UNKNOWN"
    assert judged(seen, "--cve", OTHER).state == "OK"


def test_an_outage_of_the_patch_server() -> None:
    """Without descriptions of patches nothing is fixed, and the reason is on the first line."""
    outcome = judged(
        report(FIXED, server("app6"), patches=[], facts=[(facts.PATCHES_UNREADABLE, "reading kpatch.info: timed out")]),
        *("--cve", CVE),
    )
    assert outcome.state == "UNKNOWN"
    assert counts(outcome)["fixed"] == 0
    assert "could not be read from the patch server: reading kpatch.info: timed out" in outcome.text
    # One server is known to have no patch; the others do not make its number look small.
    small = judged(report(BARE, *[FIXED] * 9, patches=[]), "--cve", CVE, "-w", "5")
    assert (small.state, counts(small)["not_fixed"]) == ("UNKNOWN", 1)


def test_several_cves() -> None:
    """Each CVE has a phrase, and each server counts once, by the worst of them."""
    outcome = judged(report(FIXED, UNFIXED, FOREIGN), "--cve", CVE, "--cve", OTHER)
    assert outcome.state == "WARNING"
    assert outcome.text == (
        f"{CVE} is not in the loaded live patch of 1 of 3 servers, unknown of 1 more: app2 10.0.4.7 (patch 30, built "
        f"9d ago); whether {OTHER} is in the loaded live patch is unknown of 1 of 3 servers: app5 10.0.4.7 (patch 7)"
    )
    assert counts(outcome) == {"servers": 3, "fixed": 1, "not_fixed": 1, "unknown": 1}


def test_cves_of_the_configuration() -> None:
    """Without --cve those of the configuration are checked, and without any there is no result."""
    assert judged(report(UNFIXED, cves=[OTHER])).text == f"{OTHER}: in the loaded live patch of the only server"
    assert judged(report(UNFIXED, cves=[OTHER]), "--cve", CVE).state == "WARNING"
    with pytest.raises(CheckError, match=r"no CVE given: use --cve, or set patches\.cves in the configuration"):
        judged(report(UNFIXED))


def test_no_servers() -> None:
    """An ePortal without servers is UNKNOWN unless --no-match-state is set."""
    outcome = judged(report(), "--cve", CVE)
    assert (outcome.state, outcome.text) == ("UNKNOWN", "no server is registered with the ePortal")
    assert judged(report(), "--cve", CVE, "--no-match-state", "ok").state == "OK"


def test_an_eportal_that_cannot_be_read() -> None:
    """Without data the check has the reason and no perfdata, whether or not a CVE is given."""
    seen = view([], [missing("servers", text="reading /servers: timed out")])
    for arguments in ((), ("--cve", CVE)):
        outcome = judged(seen, *arguments)
        assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading /servers: timed out", {})


@pytest.mark.parametrize("text", ["CVE-2026-1", "2026-11111", "cve", "CVE-2026-11111,CVE-2026-22222", ""])
def test_a_text_that_is_no_cve(text: str) -> None:
    """A text that is not a CVE id is an error before anything is read."""
    outcome = run_in_process(NAME, "--exporter", "http://127.0.0.1:1", f"--cve={text}")
    assert (outcome.code, outcome.text.startswith("argument --cve: expected a CVE id")) == (3, True), outcome
