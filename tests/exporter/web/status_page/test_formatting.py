"""Human-readable formats of numbers, ages, and times."""

from __future__ import annotations

import pytest

from cln_monitor.exporter.web.status_page import formatting
from tests.helpers.clock import NOW


def test_moment() -> None:
    """A time has a date unless it is today."""
    assert formatting.moment(NOW, NOW) == "15:26 UTC"
    assert formatting.moment(NOW - 86400, NOW) == "2024-04-29 15:26 UTC"
    assert formatting.iso(NOW) == "2024-04-30T15:26:40Z"


def test_numbers() -> None:
    """Numbers have thousands separators, and 1 has a singular."""
    assert formatting.number(1234567) == "1\u202f234\u202f567"
    assert formatting.count(1, "server") == "1 server"
    assert formatting.count(0, "server") == "0 servers"
    assert formatting.count(2, "thing is wrong", "things are wrong") == "2 things are wrong"


@pytest.mark.parametrize(
    ("phrases", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listed(phrases: list[str], text: str) -> None:
    """Phrases are joined by commas and "and"."""
    assert formatting.listed(phrases) == text


def test_short() -> None:
    """Long notes are truncated."""
    assert (formatting.short("a" * 80), formatting.short("a" * 81)) == ("a" * 80, "a" * 79 + "…")


@pytest.mark.parametrize("text", ["Web", "Köln", "クラウド", "Серверы", ""])
def test_left_to_right_is_not_isolated(text: str) -> None:
    """Left-to-right text is not isolated."""
    assert formatting.isolated(text) == text


@pytest.mark.parametrize("text", ["שלום", "مرحبا 12", "abc ש", "\ufdfa", "\U0001e900"])
def test_right_to_left_is_isolated(text: str) -> None:
    """Right-to-left text is isolated, so that the following text keeps its place."""
    assert formatting.isolated(text) == f"\u2068{text}\u2069"


def test_the_first_names() -> None:
    """The first names are followed by the number of others."""
    assert formatting.first(["a"]) == "a"
    assert formatting.first(["a", "b", "c"]) == "a, b, c"
    assert formatting.first(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert formatting.first(["a", "b", "c"], most=1) == "a and 2 more"
