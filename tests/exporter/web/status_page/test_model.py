"""The whole page, as values."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.web.status_page.model import overview
from cln_monitor.exporter.web.status_page.probe_status import ProbeStatus
from cln_monitor.probes import Failure
from cln_monitor.probes.els import ElsKeyState, ElsProduct
from cln_monitor.probes.patch_status import PatchState
from tests.exporter.metrics.rendering import observed
from tests.helpers.clock import NOW

from .factories import DAY, HOUR, kernelcare, key, licensed, seen, server

FAILURE = Failure("timeout", "no answer")
GOOD = seen(kernelcare(key("a", server("1", HOUR))))
LOOK = seen(kernelcare(key("a", server("1", 2 * DAY))))
WRONG = seen(probe="imunify", failure=FAILURE)
WAITING = seen(probe="imunify", last_run=None, last_success=None)


@pytest.mark.parametrize(
    ("targets", "state", "text"),
    [
        ([GOOD], "ok", "All is well as of 15:26 UTC"),
        ([GOOD, WAITING], "waiting", "All is well so far; 1 probe has not run yet"),
        ([WAITING], "waiting", "Nothing is known yet: the first polls are under way"),
        ([LOOK, WAITING], "look", "1 thing needs a look"),
        ([WRONG], "wrong", "1 thing is wrong"),
        ([WRONG, LOOK], "wrong", "1 thing is wrong and 1 needs a look"),
        ([WRONG, WRONG, LOOK, LOOK], "wrong", "2 things are wrong and 2 need a look"),
    ],
)
def test_verdict(targets: list[ProbeStatus], state: str, text: str) -> None:
    """One sentence, by the worst there is."""
    verdict = overview(targets, NOW).verdict
    assert (verdict.state, verdict.text) == (state, text)


def test_of_nothing() -> None:
    """A page without a target is a page."""
    page = overview([], NOW)
    assert (page.verdict.state, page.accounts.rows, page.charts, page.figures) == ("ok", [], [], [])


def test_figures() -> None:
    """The numbers to see at a glance, over all accounts; one that is 0 is good."""
    counts = PatchState("reseller", "", ok=True, counts={"uptodate": 4}, hosts=[])
    page = overview(
        [
            seen(kernelcare(key("a", server("1", HOUR), server("2", None, NOW - 9 * DAY), limit=2))),
            seen(kernelcare(key("b", server("3", 2 * DAY), limit=9), account="other"), account="other"),
            seen(observed({"ELS": ElsProduct("CELS", [ElsKeyState("c", 0)], [])}, probe="els")),
            seen(observed({"": counts}, probe="patch_status")),
            seen(licensed(("KernelCare", False, None))),
        ],
        NOW,
    )
    assert [(figure.value, figure.label, figure.state) for figure in page.figures] == [
        ("3", "servers", "plain"),
        ("2", "stale or never checked in", "look"),
        ("1", "of 2 keys with a limit full or nearly", "look"),
        ("0", "kernels not up to date", "ok"),
        ("1", "IP licences unused", "look"),
    ]
    assert page.has_many_accounts
    assert page.discovered == ["kernelcare", "ip_licenses", "els"]


def test_charts_are_by_product() -> None:
    """Over all accounts, where there is a server."""
    other = seen(kernelcare(key("b", server("3", 2 * DAY)), account="other"), account="other")
    empty = seen(observed({}, probe="imunify"))
    (picture,) = overview([GOOD, other, empty], NOW).charts
    assert (picture.product, picture.total) == ("KernelCare", 2)
    assert overview([GOOD], NOW).stale_after == "1d"
