"""The probe of AccelerateWP."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from cln_monitor.durations import months_at
from cln_monitor.probes import PROBES, run_probe
from cln_monitor.probes.awp import AwpCount, AwpMonth, AwpSettings
from tests.helpers.clock import NOW

from .conftest import Cln

AWP = PROBES["awp"]
MONTH, BEFORE = months_at(NOW)


def run(
    cln: Cln, now: float = NOW, products: tuple[str, ...] = ("AWP_PREMIUM", "AWP_CDN")
) -> tuple[AwpMonth, AwpMonth]:
    """Return the observation at the time ``now``, of the current and the previous month."""
    source = msgspec.structs.replace(cln.source(AWP, products=list(products)), now=lambda: now)
    outcome = run_probe(AWP, source, cln.pool, cln.clock)
    assert outcome.failure is None
    current, previous = outcome.observation.parts
    assert (current.name, previous.name) == (current.value.month, previous.value.month)
    return current.value, previous.value


def test_what_is_billed_this_month(cln: Cln) -> None:
    """Entities are counted by product and limit, without domains and users."""
    cln.account.add_awp_entity("one.example.net", month=MONTH, username="alice")
    cln.account.add_awp_entity("two.example.net", month=MONTH)
    cln.account.add_awp_entity("one.example.net", "AWP_CDN", month=MONTH, cdn_limit_type="50 GB")
    cln.account.add_awp_entity("old.example.net", month="2001-01")
    cln.account.add_awp_entity("one.example.net", month=BEFORE)
    seen, before = run(cln)
    assert before == AwpMonth(BEFORE, [AwpCount("AWP_CDN", "", 0), AwpCount("AWP_PREMIUM", "", 1)])
    assert seen == AwpMonth(MONTH, [AwpCount("AWP_CDN", "50 GB", 1), AwpCount("AWP_PREMIUM", "", 2)])
    assert "example" not in repr(seen)
    assert cln.asked() == ["/cl/awp"] * 2


def test_a_product_of_which_nothing_is_billed_is_zero(cln: Cln) -> None:
    """A product without entities has a count of 0."""
    assert run(cln)[0].counts == [AwpCount("AWP_CDN", "", 0), AwpCount("AWP_PREMIUM", "", 0)]
    assert run(cln, products=("AWP_CDN",))[0].counts == [AwpCount("AWP_CDN", "", 0)]


@pytest.mark.parametrize(
    ("moment", "month"),
    [("2024-02-29T23:59:59Z", "2024-02"), ("2024-03-01T00:00:00Z", "2024-03"), ("2023-12-31T23:59:59Z", "2023-12")],
)
def test_the_month_is_that_of_utc(moment: str, month: str, cln: Cln) -> None:
    """The current month is that of UTC, in any time zone."""
    current, previous = run(cln, datetime.fromisoformat(moment).timestamp())
    assert current.month == month
    asked = {request.query["yearMonth"] for request in cln.simulator.requests}
    assert asked == {month, previous.month}


def test_products_that_cannot_be_meant() -> None:
    """Invalid product codes are reported with their place."""
    problems = dict(AwpSettings(products=["AWP_CDN", "awp cdn"]).problems())
    assert list(problems) == ["products[1]"]
    assert problems["products[1]"].startswith("invalid format; expected a code such as AWP_PREMIUM")
