"""The probe of AccelerateWP."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from cln_monitor.probes import PROBES, run_probe
from cln_monitor.probes.awp import AwpCount, AwpMonth, AwpSettings
from tests.helpers.clock import NOW

from .conftest import Cln

AWP = PROBES["awp"]
MONTH = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m")


def run(cln: Cln, now: float = NOW, products: tuple[str, ...] = ("AWP_PREMIUM", "AWP_CDN")) -> AwpMonth:
    """Return what the probe sees at the time ``now``."""
    source = msgspec.structs.replace(cln.source(AWP, products=list(products)), now=lambda: now)
    outcome = run_probe(AWP, source, cln.pool, cln.clock)
    assert outcome.failure is None
    [part] = outcome.observation.parts
    assert part.name == part.value.month
    value: AwpMonth = part.value
    return value


def test_what_is_billed_this_month(cln: Cln) -> None:
    """Counted by product and limit; no domain and no user is kept."""
    cln.account.add_awp_entity("one.example.net", month=MONTH, username="alice")
    cln.account.add_awp_entity("two.example.net", month=MONTH)
    cln.account.add_awp_entity("one.example.net", "AWP_CDN", month=MONTH, cdn_limit_type="50 GB")
    cln.account.add_awp_entity("old.example.net", month="2001-01")
    seen = run(cln)
    assert seen == AwpMonth(MONTH, [AwpCount("AWP_CDN", "50 GB", 1), AwpCount("AWP_PREMIUM", "", 2)])
    assert "example" not in repr(seen)
    assert cln.asked() == ["/cl/awp"]


def test_a_product_of_which_nothing_is_billed_is_zero(cln: Cln) -> None:
    """Absent it would look as if nobody had asked."""
    assert run(cln).counts == [AwpCount("AWP_CDN", "", 0), AwpCount("AWP_PREMIUM", "", 0)]
    assert run(cln, products=("AWP_CDN",)).counts == [AwpCount("AWP_CDN", "", 0)]


@pytest.mark.parametrize(
    ("moment", "month"),
    [("2024-02-29T23:59:59Z", "2024-02"), ("2024-03-01T00:00:00Z", "2024-03"), ("2023-12-31T23:59:59Z", "2023-12")],
)
def test_the_month_is_that_of_utc(moment: str, month: str, cln: Cln) -> None:
    """Wherever this machine stands."""
    assert run(cln, datetime.fromisoformat(moment).timestamp()).month == month
    assert cln.simulator.requests[-1].query["yearMonth"] == month


def test_products_that_cannot_be_meant() -> None:
    """Are told by their place."""
    problems = dict(AwpSettings(products=["AWP_CDN", "awp cdn"]).problems())
    assert list(problems) == ["products[1]"]
    assert problems["products[1]"].startswith("is not spelled as CLN takes it; it takes codes such as AWP_PREMIUM")
