"""The check of AccelerateWP's billable entities."""

from __future__ import annotations

from typing import Any

import pytest

from cln_monitor.checks.plugins.awp import _NAMES, judge
from cln_monitor.durations import months_at
from cln_monitor.probes import PRODUCT_NAMES
from tests.checks.conftest import Cln
from tests.checks.inside import InProcessExit, options_of, result_of, run_in_process
from tests.checks.running import Outcome
from tests.checks.views import missing, part, view
from tests.helpers.clock import NOW

NAME = "check_cln_awp"


MONTH, BEFORE = months_at(NOW)


def month(*counts: tuple[str, str, int], of: str = MONTH) -> dict[str, Any]:
    """Return the part of a month with product, limit, and count per row."""
    rows = [{"product": product, "cdn_limit": limit, "billable": count} for product, limit, count in counts]
    return part(of, {"month": of, "counts": rows})


SEEN = month(("AWP_CDN", "50 GB", 2), ("AWP_CDN", "1 TB", 1), ("AWP_PREMIUM", "", 7))


def judged(seen: Any, *arguments: str) -> Outcome:
    """Return the output of the check for a view."""
    verdict = judge(seen, options_of(NAME, *arguments), NOW)
    state, perfdata = verdict.evaluate()
    exit_ = InProcessExit()
    return result_of(lambda: exit_.finish(state, verdict.text, verdict.lines, perfdata), ())


def test_without_thresholds() -> None:
    """Without thresholds the check prints the numbers and is OK."""
    assert judged(view([SEEN])).output == (
        f"OK - 10 billable entities in {MONTH} (3 AccelerateWP CDN, 7 AccelerateWP Premium)"
        " | awp_cdn=3;;;0 awp_premium=7;;;0 billable=10;;;0\n"
        "AccelerateWP CDN of 50 GB: 2\nAccelerateWP CDN of 1 TB: 1\nAccelerateWP Premium: 7\n"
    )


@pytest.mark.parametrize(
    ("arguments", "state", "text"),
    [
        (
            ("-w", "9"),
            "WARNING",
            f"10 billable entities in {MONTH} (3 AccelerateWP CDN, 7 AccelerateWP Premium), over 9",
        ),
        (
            ("-w", "5", "-c", "9"),
            "CRITICAL",
            f"10 billable entities in {MONTH} (3 AccelerateWP CDN, 7 AccelerateWP Premium), over 9",
        ),
        (("-w", "10"), "OK", f"10 billable entities in {MONTH} (3 AccelerateWP CDN, 7 AccelerateWP Premium)"),
        (
            ("--product", "AWP_CDN", "-c", "2"),
            "CRITICAL",
            f"3 billable entities in {MONTH} (3 AccelerateWP CDN), over 2",
        ),
        (
            ("-c", "20:"),
            "CRITICAL",
            f"10 billable entities in {MONTH} (3 AccelerateWP CDN, 7 AccelerateWP Premium), outside 20:",
        ),
        (
            ("--product", "AWP_X"),
            "UNKNOWN",
            "no data for --product AWP_X",
        ),
    ],
)
def test_thresholds(arguments: tuple[str, ...], state: str, text: str) -> None:
    """Thresholds apply to the sum of the selected products."""
    outcome = judged(view([SEEN]), *arguments)
    assert (outcome.state, outcome.text) == (state, text)


def test_nothing_billed() -> None:
    """A count of zero is compared with the thresholds."""
    outcome = judged(view([month(("AWP_CDN", "", 0))]), "-c", "1:")
    assert (outcome.state, outcome.text) == (
        "CRITICAL",
        f"0 billable entities in {MONTH} (0 AccelerateWP CDN), outside 1:",
    )


def test_what_could_not_be_read() -> None:
    """A month that could not be read is UNKNOWN without metrics."""
    outcome = judged(view([], [missing(MONTH)]), "-c", "1:")
    assert (outcome.state, outcome.text, outcome.perfdata) == ("UNKNOWN", "reading it: nonsense", {})


def test_against_a_cln(cln: Cln) -> None:
    """The check makes one call per month for the selected products, and none for a malformed one."""
    outcome = run_in_process(NAME, *cln.login, "-w", "1")
    assert (outcome.state, outcome.perfdata["billable"].value) == ("WARNING", 2)
    assert run_in_process(NAME, *cln.login, "--product", "AWP_CDN").perfdata["billable"].value == 1
    asked = [each.query["products"] for each in cln.simulator.requests]
    assert asked == ["AWP_PREMIUM,AWP_CDN"] * 2 + ["AWP_CDN"] * 2
    cln.simulator.clear_requests()
    bad = run_in_process(NAME, *cln.login, "--product", "a,b").text
    assert bad.startswith("--product: invalid format; expected a code such as AWP_PREMIUM")
    assert cln.simulator.requests == []


def test_the_previous_month() -> None:
    """--month previous checks the previous month only."""
    seen = view([SEEN, month(("AWP_PREMIUM", "", 20), of=BEFORE)])
    outcome = judged(seen, "--month", "previous", "-w", "19")
    assert (outcome.state, outcome.text) == (
        "WARNING",
        f"20 billable entities in {BEFORE} (20 AccelerateWP Premium), over 19",
    )
    assert run_in_process(NAME, "--month", "2023-12").state == "UNKNOWN"


@pytest.mark.parametrize(
    ("count", "before", "is_told"), [(31, 20, True), (30, 20, False), (15, 5, True), (14, 5, False), (10, 0, True)]
)
def test_a_bill_that_jumped(count: int, before: int, is_told: bool) -> None:
    """A rise by more than half and by more than ten is an OK with a note."""
    seen = view([month(("AWP_CDN", "", count)), month(("AWP_CDN", "", before), of=BEFORE)])
    outcome = judged(seen)
    assert outcome.state == "OK"
    assert (f"AccelerateWP CDN rose from {before} in {BEFORE} to {count}" in outcome.text) is is_told


def test_a_month_that_an_exporter_has_not_read() -> None:
    """Data of the previous month are not used for the current one."""
    outcome = judged(view([month(("AWP_CDN", "", 3), of=BEFORE)]))
    assert (outcome.state, outcome.text) == ("UNKNOWN", f"no data for {MONTH}")


def test_products_have_the_names_of_the_page() -> None:
    """The plugin's copy of the product names equals that of the probes."""
    assert PRODUCT_NAMES["awp"] == _NAMES
