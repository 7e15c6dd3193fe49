"""The billing of AccelerateWP."""

import pytest

from cln_monitor.simulator import Account
from cln_monitor.simulator.model import month_of
from tests.simulator.asking import NOW


def test_months_are_counted_back_over_the_year() -> None:
    """Months are counted back across years, in UTC."""
    assert [month_of(NOW, back) for back in (0, 3, 4, 16)] == ["2024-04", "2024-01", "2023-12", "2022-12"]
    assert [month_of(1704067199), month_of(1704067200)] == ["2023-12", "2024-01"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"product": "AWP"}, "example.com: product must be one of AWP_PREMIUM, AWP_CDN, not AWP"),
        ({"cdn_limit_type": "50 GB"}, "example.com: AWP_CDN requires a cdn_limit_type, other products have none"),
        ({"month": "2023"}, "example.com: invalid month 2023; use for example 2023-12"),
    ],
)
def test_invalid_entities(account: Account, given: dict[str, str], error: str) -> None:
    """An invalid entity is an error, and nothing is added."""
    with pytest.raises(ValueError, match=f"^{error}$"):
        account.add_awp_entity("example.com", **given)
    assert not account.awp_entities
