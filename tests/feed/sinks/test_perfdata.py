"""Perfdata is split into its items, and their numbers are read."""

from __future__ import annotations

import pytest

from cln_monitor.feed.sinks.perfdata import Metric, metrics, split_perfdata


@pytest.mark.parametrize(
    ("perfdata", "items"),
    [
        ("", []),
        ("a=1", ["a=1"]),
        ("a=1s;2;3;0;9  b=2%;90:100;@1:2", ["a=1s;2;3;0;9", "b=2%;90:100;@1:2"]),
        ("'a b'=1 'c=d'=2;;;0 'it''s'=3", ["'a b'=1", "'c=d'=2;;;0", "'it''s'=3"]),
        ("a=U b=-1.5e-3", ["a=U", "b=-1.5e-3"]),
    ],
)
def test_split(perfdata: str, items: list[str]) -> None:
    """Items are separated by spaces outside of quotes, and stay as they are written."""
    assert split_perfdata(perfdata) == items


def test_metrics() -> None:
    """Label, value, unit and limits are apart; an item without a number is left out."""
    assert list(metrics("'it''s a=b'=1.5s;2;3;0;9 b=U c=7;;10:")) == [
        Metric("it's a=b", "1.5", "s", ("2", "3", "0", "9")),
        Metric("c", "7", "", ("", "10:", "", "")),
    ]
