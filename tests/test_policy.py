"""The facts that may be odd in an answer, and the words for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor.policy import FACTS, Phrase, Severity, phrases

ROOT = Path(__file__).parents[1]


def test_the_worst_comes_first() -> None:
    """And each fact once, whatever it is true of."""
    seen = [
        ("limit_not_told", ["c"], 1),
        ("limit_unreadable", ["a ('x')"], 1),
        ("servers_gone", ["imunify fell from 2 to 0 within 1h"], 1),
        ("limit_unreadable", ["b (-5)"], 1),
    ]
    assert phrases(seen) == [
        Phrase(Severity.CRITICAL, "servers_gone", "CLN lists none any more: imunify fell from 2 to 0 within 1h"),
        Phrase(Severity.WARNING, "limit_unreadable", "2 keys have a limit that cannot be read: a ('x'), b (-5)"),
        Phrase(Severity.INFO, "limit_not_told", "CLN tells no limit of 1 key: c"),
    ]


def test_many() -> None:
    """A few are named, the others counted, also those that nobody has named."""
    (phrase,) = phrases([("checkin_ahead", ["a", "b", "c", "d"], 900)])
    assert phrase.text == "900 servers have a last check-in more than 1h ahead of CLN's clock: a, b, c and 897 more"


def test_a_fact_of_a_newer_exporter() -> None:
    """Is a warning, and no error: nobody knows how bad it is."""
    (phrase,) = phrases([("newer", ["x"], 1)])
    assert (phrase.severity, phrase.fact) == (Severity.WARNING, "newer")


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_is_in_the_documentation(name: str) -> None:
    """With how bad it is."""
    bad = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "OK, and told"}
    page = (ROOT / "docs" / "faults.md").read_text()
    assert re.findall(rf"^\| `{name}` \| .* \| (.*) \|$", page, re.MULTILINE) == [bad[FACTS[name].severity]]
    assert len(FACTS[name].many.format(2)) > len("CLN")


def test_the_order() -> None:
    """The table goes from the worst to what is only told."""
    severities = [fact.severity for fact in FACTS.values()]
    assert severities == sorted(severities, reverse=True)
