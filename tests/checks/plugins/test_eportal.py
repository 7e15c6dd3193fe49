"""The check of the servers of an ePortal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cln_monitor import facts
from cln_monitor.checks.plugins.eportal import judge
from tests.checks.eportal_reports import patch, report, server
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import DAY, missing, view
from tests.helpers.clock import NOW

NAME = "check_cln_eportal"
GOOD = server("app1")
LATE, BARE = server("app2", 30, updated=False), server("app3", 0, updated=False)
SILENT = server("app4", age=3 * DAY)


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a report."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


def counts(outcome: Outcome) -> dict[str, float]:
    """Return the perfdata as numbers."""
    return {label: item.value for label, item in outcome.perfdata.items()}


def test_all_is_well() -> None:
    """Servers with the newest patch that check in are OK."""
    outcome = judged(report(GOOD, server("app9", 32)))
    assert (outcome.state, outcome.text) == ("OK", "2 servers, 2 with the newest patch of the feed")
    assert counts(outcome) == {"total": 2, "updated": 2, "outdated": 0, "silent": 0}


def test_outdated_and_silent() -> None:
    """Servers out of date are named with their patch, those without one first, and silent ones with their age."""
    outcome = judged(report(GOOD, LATE, BARE, SILENT))
    assert outcome.output == (
        "WARNING - 2 of 4 servers do not have the newest patch of the feed: app3 10.0.4.7 (no patch), app2 10.0.4.7 "
        "(patch 30, built 9d ago); 1 of 4 servers not checked in for over 2d: app4 10.0.4.7 (3d) | outdated=2;;;0 "
        "silent=1;;;0 total=4;;;0 updated=2;;;0\n"
        "outdated: app3 10.0.4.7 (no patch), kernel 4.18.0-553.90.1.el8\n"
        "outdated: app2 10.0.4.7 (patch 30, built 9d ago), kernel 4.18.0-553.90.1.el8\n"
        "WARNING: app4 10.0.4.7 (3d)\n"
    )


@pytest.mark.parametrize(
    ("servers", "lag", "state", "text"),
    [
        (
            (GOOD, LATE),
            "14d",
            "OK",
            "the newest patch of the feed; 1 of 2 servers out of date with a patch built in the last 14d, as allowed",
        ),
        ((GOOD, LATE), "9d", "WARNING", "app2 10.0.4.7 (patch 30, built 9d ago)"),
        ((GOOD, LATE), "0", "WARNING", "app2 10.0.4.7 (patch 30, built 9d ago)"),
        ((GOOD, BARE), "14d", "WARNING", "app3 10.0.4.7 (no patch)"),
        ((GOOD, server("app7", 29, updated=False)), "14d", "WARNING", "app7 10.0.4.7 (patch 29)"),
        ((GOOD, server("app8", None, updated=False)), "14d", "WARNING", "app8 10.0.4.7 (unknown patch)"),
    ],
)
def test_allowed_lag(servers: tuple[dict[str, Any], ...], lag: str, state: str, text: str) -> None:
    """A server may be out of date while its patch is young; the perfdata stay, and one of unknown age may not."""
    outcome = judged(report(*servers), "--allowed-lag", lag)
    assert (outcome.state, outcome.text.endswith(text)) == (state, True), outcome
    assert counts(outcome) == {"total": 2, "updated": 1, "outdated": 1, "silent": 0}


def test_an_allowed_lag_and_a_patch_of_the_future() -> None:
    """A patch that was built years ahead has an unknown age, and is not allowed to lag for all these years."""
    outcome = judged(report(LATE, patches=[patch(30, age=-400 * DAY)]), "--allowed-lag", "14d")
    assert (outcome.state, "app2 10.0.4.7 (patch 30)" in outcome.text) == ("WARNING", True)


def test_an_allowed_lag_and_an_outage_of_the_patch_server() -> None:
    """While no age is known, no lag is allowed, and the reason is on the first line."""
    seen = report(LATE, patches=[], facts=[(facts.PATCHES_UNREADABLE, "reading kpatch.info: timed out")])
    outcome = judged(seen, "--allowed-lag", "14d")
    assert (outcome.state, "could not be read from the patch server" in outcome.text) == ("WARNING", True)


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        ((), "WARNING"),
        (("-w", "4d"), "OK"),
        (("-w", "3d"), "OK"),
        (("-w", "2d", "-c", "60h"), "CRITICAL"),
        (("-c", "60h"), "CRITICAL"),
        (("-w", "@2d:4d"), "WARNING"),
    ],
)
def test_ages(arguments: tuple[str, ...], state: str) -> None:
    """The ranges replace stale_after, and count the silent servers."""
    outcome = judged(report(GOOD, SILENT), *arguments)
    assert (outcome.state, counts(outcome)["silent"]) == (state, int(state != "OK"))


def test_long_silence() -> None:
    """A server that has been silent for months stays a problem: an ePortal removes such servers itself."""
    assert judged(report(GOOD, server("app5", age=90 * DAY))).state == "WARNING"


def test_servers_that_never_checked_in() -> None:
    """A server that never checked in is a note, and not silent."""
    outcome = judged(report(GOOD, server("app5", age=None)))
    assert (outcome.state, counts(outcome)["silent"]) == ("OK", 0)
    assert outcome.text.endswith("1 of 2 servers never checked in: app5 10.0.4.7")


def test_servers_that_the_eportal_has_not_judged() -> None:
    """Servers that are neither up to date nor out of date are a note, and UNKNOWN if there are no others."""
    some = judged(report(LATE, server("app6", updated=None)), "--allowed-lag", "14d")
    assert some.state == "OK"
    assert "the ePortal does not say whether 1 of 2 servers has the newest patch" in some.text
    assert counts(some) == {"total": 2, "outdated": 1, "silent": 0}
    none = judged(report(server("app6", updated=None), server("app7", updated=None)))
    assert none.state == "UNKNOWN"
    assert none.text == "the ePortal does not say whether 2 of 2 servers have the newest patch"
    assert counts(none) == {"total": 2, "silent": 0}


def test_no_servers() -> None:
    """An ePortal without servers is UNKNOWN unless --no-match-state is set."""
    outcome = judged(report())
    assert (outcome.state, outcome.text) == ("UNKNOWN", "no server is registered with the ePortal")
    assert judged(report(), "--no-match-state", "ok").state == "OK"


def test_an_eportal_that_cannot_be_read() -> None:
    """Without data the check has the reason and no perfdata."""
    seen = view([], [missing("servers", text="reading /servers: timed out")])
    outcome = judged(seen)
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading /servers: timed out", {})


def test_many_servers() -> None:
    """The long output names the first hundred servers and counts the others; the output keeps to its size."""
    verdict = judge(report(*[LATE] * 250), options_of(NAME), NOW)
    assert len(verdict.lines) == 101
    assert verdict.lines[-1] == "outdated: … and 150 more servers"


@pytest.mark.parametrize("text", ["-1d", "soon", "1:2", ""])
def test_a_lag_that_is_none(text: str) -> None:
    """A lag is a duration of 0 or more."""
    outcome = run_in_process(NAME, "--exporter", "http://127.0.0.1:1", f"--allowed-lag={text}")
    assert (outcome.code, outcome.text.startswith("argument --allowed-lag: ")) == (3, True)


def test_without_a_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of CLN in the environment are no source of an ePortal."""
    monkeypatch.setenv("CLN_LOGIN", "acme_login")
    monkeypatch.setenv("CLN_SECRET_KEY", "pl4nted-secret-key")
    monkeypatch.setattr("cln_monitor.config.selection.DEFAULT_CONFIG", tmp_path / "none.yml")
    outcome = run_in_process(NAME)
    assert outcome.state == "UNKNOWN"
    assert outcome.text == "no ePortal given: use --config with a file that has eportals, or --exporter"


def test_patch_of_another_kernel() -> None:
    """A patch is looked up by its kernel and level."""
    seen = report(server("app2", 30, updated=False, kernel_id="2b" * 20), patches=[patch(30)])
    assert "app2 10.0.4.7 (patch 30)" in judged(seen).text
