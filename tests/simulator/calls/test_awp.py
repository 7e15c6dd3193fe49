"""The call for the billing of AccelerateWP."""

import pytest

from cln_monitor.simulator import Account, Served, Simulator
from tests.simulator.asking import ask, fetch, refusal, token

PATH = "/cl/awp"
PREMIUM = {"product": "AWP_PREMIUM", "primary_domain": "example1.com", "username": "test-user1"}
CDN = {"product": "AWP_CDN", "primary_domain": "example2.com", "username": None, "cdn_limit_type": "50 GB"}


@pytest.fixture
def billed(account: Account) -> Account:
    """Return an account billed for two websites in December 2023 and for one in the current month."""
    account.add_awp_entity("example1.com", username="test-user1", month="2023-12")
    account.add_awp_entity("example2.com", "AWP_CDN", month="2023-12")
    account.add_awp_entity("example1.com")
    return account


@pytest.mark.parametrize(
    ("products", "month", "rows"),
    [
        ("AWP_PREMIUM,AWP_CDN", "2023-12", [PREMIUM, CDN]),
        ("AWP_CDN, AWP_PREMIUM", "2023-12", [PREMIUM, CDN]),
        ("AWP_CDN", "2023-12", [CDN]),
        ("AWP_PREMIUM", "2024-04", [{**PREMIUM, "username": None}]),
        ("AWP_PREMIUM,AWP_CDN", "2023-11", []),
    ],
)
def test_a_month_is_a_list_without_an_envelope(
    simulator: Simulator, billed: Account, products: str, month: str, rows: list[object]
) -> None:
    """The response lists the requested products; only the CDN has a limit."""
    simulator.add_account("other", "s").add_awp_entity("example3.com", month=month)
    assert ask(simulator, PATH, token=token(billed), products=products, yearMonth=month).json == rows


def test_it_is_bare_over_http(served: Served, billed: Account) -> None:
    """The example of the API document has a response without an envelope."""
    url = f"{PATH}?products=AWP_PREMIUM,AWP_CDN&yearMonth=2023-12&token={token(billed)}"
    assert fetch(served, url).json == [PREMIUM, CDN]


@pytest.mark.parametrize("month", ["2023-13", "2023-00", "2023-1", "23-12", "2023-12-01", "2023/12", "٢٠٢٣-12", "now"])
def test_a_month_is_year_and_month(simulator: Simulator, billed: Account, month: str) -> None:
    """Any other month is refused, in an envelope."""
    message = refusal(simulator, billed, PATH, products="AWP_CDN", yearMonth=month)
    assert message == f"Invalid yearMonth: {month}"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"products": "AWP_CDN,CDN", "yearMonth": "2023-12"}, "Invalid product: CDN"),
        ({"products": " , ", "yearMonth": "2023-12"}, "Required parameter 'products' is not present"),
        ({"yearMonth": "2023-12"}, "Required parameter 'products' is not present"),
        ({"products": "AWP_CDN"}, "Required parameter 'yearMonth' is not present"),
    ],
)
def test_products_and_month_are_needed(
    simulator: Simulator, billed: Account, query: dict[str, str], message: str
) -> None:
    """Products and month are required, and products must be documented."""
    assert refusal(simulator, billed, PATH, **query) == message
