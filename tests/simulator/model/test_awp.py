"""What AccelerateWP is billed for."""

import pytest

from cln_monitor.simulator import Account
from cln_monitor.simulator.model import month_of
from tests.simulator.asking import NOW


def test_months_are_counted_back_over_the_year() -> None:
    """In UTC."""
    assert [month_of(NOW, back) for back in (0, 3, 4, 16)] == ["2024-04", "2024-01", "2023-12", "2022-12"]
    assert [month_of(1704067199), month_of(1704067200)] == ["2023-12", "2024-01"]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"product": "AWP"}, "example.com: product must be one of AWP_PREMIUM, AWP_CDN, not AWP"),
        ({"cdn_limit_type": "50 GB"}, "example.com: AWP_CDN has a cdn_limit_type, and nothing else has"),
        ({"month": "2023"}, "example.com: month must be one such as 2023-12, not 2023"),
    ],
)
def test_an_entity_that_cannot_be_is_an_error(account: Account, given: dict[str, str], error: str) -> None:
    """And nothing is added."""
    with pytest.raises(ValueError, match=f"^{error}$"):
        account.add_awp_entity("example.com", **given)
    assert not account.awp_entities
