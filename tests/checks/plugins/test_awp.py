"""What AccelerateWP is billed for."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.awp import judge
from tests.checks.conftest import Cln
from tests.checks.inside import InsideExit, options_of, result_of, run_inside
from tests.checks.running import Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW

NAME = "check_cln_awp"


def month(*counts: tuple[str, str, int]) -> dict[str, Any]:
    """Return the part of a month: product, limit and number."""
    rows = [{"product": product, "cdn_limit": limit, "billable": count} for product, limit, count in counts]
    return part("2026-11", {"month": "2026-11", "counts": rows})


SEEN = month(("AWP_CDN", "50 GB", 2), ("AWP_CDN", "1 TB", 1), ("AWP_PREMIUM", "", 7))


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return what the check prints of a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    leave = InsideExit()
    return result_of(lambda: leave.finish(state, verdict.text, verdict.lines, perfdata), ())


def test_without_thresholds() -> None:
    """It tells and graphs, and is never wrong."""
    assert judged(view([SEEN])).output == (
        "OK - 10 billable in 2026-11 (3 AWP_CDN, 7 AWP_PREMIUM)"
        " | awp_cdn=3;;;0 awp_premium=7;;;0 billable=10;;;0\n"
        "AWP_CDN of 50 GB: 2\nAWP_CDN of 1 TB: 1\nAWP_PREMIUM: 7\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (("-w", "9"), "WARNING", "10 billable in 2026-11 (3 AWP_CDN, 7 AWP_PREMIUM), over 9"),
        (("-w", "5", "-c", "9"), "CRITICAL", "10 billable in 2026-11 (3 AWP_CDN, 7 AWP_PREMIUM), over 9"),
        (("-w", "10"), "OK", "10 billable in 2026-11 (3 AWP_CDN, 7 AWP_PREMIUM)"),
        (("--product", "AWP_CDN", "-c", "2"), "CRITICAL", "3 billable in 2026-11 (3 AWP_CDN), over 2"),
        (("-c", "20:"), "CRITICAL", "10 billable in 2026-11 (3 AWP_CDN, 7 AWP_PREMIUM), out of 20:"),
        (
            ("--product", "AWP_X"),
            "UNKNOWN",
            "nothing is known of --product AWP_X",
        ),
    ],
)
def test_thresholds(arguments: tuple[str, ...], state: str, text: str) -> None:
    """On the number of all that is counted."""
    outcome = judged(view([SEEN]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)


def test_nothing_billed() -> None:
    """Zero is a number like others."""
    outcome = judged(view([month(("AWP_CDN", "", 0))]), "-c", "1:")
    assert (outcome.state, outcome.text) == ("CRITICAL", "0 billable in 2026-11 (0 AWP_CDN), out of 1:")


def test_what_could_not_be_read() -> None:
    """Is UNKNOWN, and there is no figure."""
    outcome = judged(view([], [missing("2026-11")]), "-c", "1:")
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


def test_against_a_cln(cln: Cln) -> None:
    """One call, for the products that are asked for; a malformed one is refused before it is sent."""
    outcome = run_inside(NAME, *cln.login, "-w", "1")
    assert (outcome.state, outcome.perfdata["billable"].value) == ("WARNING", 2)
    assert run_inside(NAME, *cln.login, "--product", "AWP_CDN").perfdata["billable"].value == 1
    assert [each.query["products"] for each in cln.simulator.requests] == ["AWP_PREMIUM,AWP_CDN", "AWP_CDN"]
    cln.simulator.clear_requests()
    bad = run_inside(NAME, *cln.login, "--product", "a,b").text
    assert bad.startswith("--product: is not spelled as CLN takes it; it takes codes such as AWP_PREMIUM")
    assert cln.simulator.requests == []
