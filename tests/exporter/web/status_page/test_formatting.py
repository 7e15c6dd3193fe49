"""Numbers, ages and moments as a person reads them."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.web.status_page import formatting
from tests.helpers.clock import NOW


def test_moment() -> None:
    """A date is there where it is not today's."""
    assert formatting.moment(NOW, NOW) == "15:26 UTC"
    assert formatting.moment(NOW - 86400, NOW) == "2024-04-29 15:26 UTC"
    assert formatting.iso(NOW) == "2024-04-30T15:26:40Z"


def test_numbers() -> None:
    """Thousands stand apart, and one is no plural."""
    assert formatting.number(1234567) == "1\u202f234\u202f567"
    assert formatting.count(1, "server") == "1 server"
    assert formatting.count(0, "server") == "0 servers"
    assert formatting.count(2, "thing is wrong", "things are wrong") == "2 things are wrong"


@pytest.mark.parametrize(
    ("phrases", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(phrases: list[str], text: str) -> None:
    """As one says it."""
    assert formatting.listed(phrases) == text


def test_short() -> None:
    """A note of any length has its place."""
    assert (formatting.short("a" * 80), formatting.short("a" * 81)) == ("a" * 80, "a" * 79 + "…")


@pytest.mark.parametrize("text", ["Web", "Köln", "クラウド", "Серверы", ""])
def test_left_to_right_is_not_isolated(text: str) -> None:
    """As it reorders nothing."""
    assert formatting.isolated(text) == text


@pytest.mark.parametrize("text", ["שלום", "مرحبا 12", "abc ש", "\ufdfa", "\U0001e900"])
def test_right_to_left_is_isolated(text: str) -> None:
    """So that what follows it stays where it belongs."""
    assert formatting.isolated(text) == f"\u2068{text}\u2069"


def test_the_first_names() -> None:
    """With how many more there are."""
    assert formatting.first(["a"]) == "a"
    assert formatting.first(["a", "b", "c"]) == "a, b, c"
    assert formatting.first(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert formatting.first(["a", "b", "c"], most=1) == "a and 2 more"
