"""The parser of perfdata that the tests use."""

from __future__ import annotations

import pytest

from .perfdata import Item, parse_perfdata


def test_what_is_good() -> None:
    """Labels, values, units, thresholds and ranges, and a minimum are parsed."""
    assert parse_perfdata("stale=2;;;0 age=86400.5s;86400;259200;0 'a b'=66.67%;80;@~:95;0 x=1") == {
        "stale": Item(2, "", "", "", "0"),
        "age": Item(86400.5, "s", "86400", "259200", "0"),
        "a b": Item(66.67, "%", "80", "@~:95", "0"),
        "x": Item(1, "", "", "", ""),
    }
    assert parse_perfdata("") == {}


@pytest.mark.parametrize(
    "text",
    [
        *("a", "a=", "a=U", "a=1e-07", "a=nan", "a=inf", "a=True", "a=1d", "a=1s;2s", "a=1;1e3", "a=01", "a=1."),
        *("a=1 a=2", "a=1  b=2", "a=1 ", " a=1", "a=1,5", "a b=1", "a'=1", "'a=1", "a=1|b=2", "ü=1", "a=1;2;3;4;5;6"),
    ],
)
def test_what_is_bad(text: str) -> None:
    """Perfdata that a core would drop, truncate, or misread are rejected."""
    with pytest.raises(ValueError, match=r"cannot be read|quoted|twice|a blank"):
        parse_perfdata(text)
