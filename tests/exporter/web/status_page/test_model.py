"""The content of the whole page."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.web.status_page.model import OverallStatus, overview
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.probes import Failure, FirstPoll
from cln_monitor.probes.els import ElsKeyState, ElsProduct
from cln_monitor.probes.patch_status import PatchState
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, server, status_of

FAILURE = Failure("timeout", "no answer")
GOOD = status_of(kernelcare(key("a", server("1", HOUR))))
SILENT = status_of(kernelcare(key("a", server("1", 2 * DAY))))
FAILING = status_of(probe="imunify", failure=FAILURE)
REFUSED = status_of(probe="imunify", failure=Failure("auth", "no"))
NOTED = status_of(kernelcare(key("a", server("1", 31 * DAY))))
WAITING = status_of(probe="imunify", last_run=None, last_success=None)
FIRST_POLL = status_of(
    kernelcare(key("a", server("1", 2 * DAY), server("2", 2 * DAY), limit=2)),
    last_run=None,
    last_success=None,
    first_poll=FirstPoll(3, 10),
)
FIRST_POLLS_END = "kernelcare of acme (3 of 10 keys) and 2 more"


@pytest.mark.parametrize(
    ("targets", "state", "text"),
    [
        ([GOOD], "ok", "All is well as of 15:26 UTC"),
        ([GOOD, WAITING], "waiting", "All is well so far; 1 probe has not run yet"),
        ([WAITING], "waiting", "No data yet: the first polls are running"),
        ([FIRST_POLL], "waiting", "First poll in progress: kernelcare of acme (3 of 10 keys)"),
        (
            [GOOD, *[FIRST_POLL] * 5, WAITING],
            "waiting",
            "First poll in progress: " + "kernelcare of acme (3 of 10 keys), " * 2 + FIRST_POLLS_END,
        ),
        ([SILENT, FIRST_POLL], "warning", "1 warning"),
        ([SILENT, WAITING], "warning", "1 warning"),
        ([FAILING], "warning", "1 warning"),
        ([REFUSED], "critical", "1 critical"),
        ([REFUSED, SILENT], "critical", "1 critical and 1 warning"),
        (
            [REFUSED, status_of(account="other", failure=REFUSED.view.failure), SILENT, FAILING],
            "critical",
            "2 critical and 2 warnings",
        ),
        ([NOTED], "ok", "All is well as of 15:26 UTC"),
    ],
)
def test_verdict(targets: list[ProbeStatus], state: str, text: str) -> None:
    """The overall status is one sentence, by the most severe problem."""
    verdict = overview(targets, NOW).verdict
    assert (verdict.state, verdict.text) == (state, text)


def test_a_first_poll() -> None:
    """The keys of a first poll are listed, but neither judged nor added up, and no server is called silent."""
    page = overview([FIRST_POLL], NOW)
    assert (page.problems, page.figures, page.charts, page.servers.rows, page.patches.rows) == ([], [], [], [], [])
    assert [(row.key, row.used, row.silent) for row in page.keys.rows] == [("a", "2", "")]
    whole = overview([SILENT], NOW)
    assert all((whole.problems, whole.figures, whole.charts, whole.servers.rows))


def test_of_nothing() -> None:
    """A page without targets is valid, and does not say that all is well."""
    page = overview([], NOW)
    assert page.verdict == OverallStatus("waiting", "No probe runs here, so nothing is monitored")
    assert (page.servers_polled, page.tables, page.charts, page.figures) == ("", [], [], [])


@pytest.mark.parametrize(
    ("statuses", "servers"),
    [
        ([GOOD], "CLN"),
        ([GOOD, status_of(account="other")], "CLN"),
        ([status_of(probe="status", account="")], "CLN"),
        ([status_of(probe="eportal", account="dc1")], "the ePortal"),
        ([status_of(probe="eportal", account="dc1"), status_of(probe="eportal", account="dc2")], "the ePortals"),
        ([GOOD, status_of(probe="eportal", account="dc1")], "CLN and the ePortal"),
    ],
)
def test_what_the_data_come_from(statuses: list[ProbeStatus], servers: str) -> None:
    """The page names CLN only if data of it are shown, and ePortals likewise."""
    assert overview(statuses, NOW).servers_polled == servers


def test_many_sources() -> None:
    """A table has a column with the names of accounts, or of ePortals, if there are several of that kind."""
    one = [GOOD, status_of(probe="eportal", account="dc1")]
    page = overview(one, NOW)
    assert (page.has_many_accounts, page.has_many_eportals) == (False, False)
    page = overview([*one, status_of(probe="eportal", account="dc2")], NOW)
    assert (page.has_many_accounts, page.has_many_eportals) == (False, True)
    page = overview([*one, status_of(account="other")], NOW)
    assert (page.has_many_accounts, page.has_many_eportals) == (True, False)


def test_figures() -> None:
    """The tiles show numbers of all accounts; 0 is good."""
    counts = PatchState("reseller", "", ok=True, counts={"uptodate": 4}, hosts=[])
    page = overview(
        [
            status_of(kernelcare(key("a", server("1", HOUR), server("2", None, NOW - 9 * DAY), limit=2))),
            status_of(kernelcare(key("b", server("3", 2 * DAY), limit=9), account="other"), account="other"),
            status_of(observed({"ELS": ElsProduct("CELS", [ElsKeyState("c", 0)], [])}, probe="els")),
            status_of(observed({"": counts}, probe="patch_status")),
            status_of(licensed(("KernelCare", False, None), ("KernelCare", True, HOUR), created=8 * DAY)),
        ],
        NOW,
    )
    assert [(figure.value, figure.label, figure.state) for figure in page.figures] == [
        ("4", "registered servers: 3 KernelCare, 1 IP-licensed", "plain"),
        ("2", "silent or never checked in", "warning"),
        ("1", "of 2 keys with a limit full or nearly full", "warning"),
        ("0", "of 4 kernels not up to date", "ok"),
        ("1", "IP licenses unused for 7d or longer", "info"),
    ]
    assert page.has_many_accounts
    assert page.discovered == ["kernelcare", "ip_licenses", "els"]


def test_figures_of_an_account_without_servers() -> None:
    """An account without servers has no tiles."""
    state = PatchState("reseller", "", ok=True, counts={"uptodate": 0}, hosts=[])
    assert (
        overview([status_of(kernelcare()), status_of(observed({"": state}, probe="patch_status"))], NOW).figures == []
    )


def test_figures_count_what_is_a_problem() -> None:
    """The tiles count problems only, not informational rows."""
    old = server("old", 2 * DAY, ip="192.0.2.9")
    again = server("again", HOUR, created=NOW - DAY, ip="192.0.2.9")
    late, new, undated = server("3", None, NOW - 2 * DAY), server("4", None, NOW - HOUR), server("5", None)
    servers = [server("1", 2 * DAY), server("2", 31 * DAY), old, again, late, new, undated]
    keys = key("a", *servers), key("off", server("6", 2 * DAY), server("7", HOUR), limit=2, enabled=False)
    page = overview([status_of(kernelcare(*keys)), status_of(licensed(("KernelCare", False, None)))], NOW)
    assert [(figure.value, figure.label, figure.state) for figure in page.figures] == [
        ("9", "KernelCare servers", "plain"),
        ("2", "silent or never checked in", "warning"),
        ("0", "of 1 key with a limit full or nearly full", "ok"),
        ("0", "IP licenses unused for 7d or longer", "ok"),
    ]
    texts = [(problem.severity.word, problem.text) for problem in page.problems]
    assert texts == [
        ("warning", "1 KernelCare server of acme has not checked in for over 1d"),
        ("warning", "1 KernelCare server of acme has never checked in"),
        ("info", "1 KernelCare server of acme has not checked in yet"),
        ("info", "1 KernelCare server of acme has been silent for over 30d, still billed"),
        ("info", "1 KernelCare server of acme is superseded by a newer registration"),
        ("info", "1 KernelCare server of acme is silent on disabled keys"),
        ("info", "Disabled KernelCare key off of acme is full (2/2)"),
    ]
    assert [(row.server_id, row.why) for row in page.servers.rows] == [
        ("1", ""),
        ("3", ""),
        ("2", "still billed"),
        ("old", "superseded"),
        ("6", "key disabled"),
        ("5", "possibly new"),
    ]
    assert page.servers.more == 0


def test_charts_are_by_product() -> None:
    """Charts are per product over all accounts, if there are servers."""
    other = status_of(kernelcare(key("b", server("3", 2 * DAY)), account="other"), account="other")
    empty = status_of(observed({}, probe="imunify"))
    (picture,) = overview([GOOD, other, empty], NOW).charts
    assert (picture.product, picture.total) == ("KernelCare", 2)
    assert overview([GOOD], NOW).stale_after == "1d"
