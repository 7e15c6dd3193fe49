"""The facts about odd responses and their texts, and the rows of the severity table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cln_monitor.facts import FACTS, Phrase, phrases
from cln_monitor.policy import (
    DAY,
    KEY_FULL,
    KEY_NEARLY_FULL,
    KEY_OF_ONE,
    Row,
    Severity,
    Silence,
    are_many,
    gone_after,
    is_unused_long,
    key_fullness,
    silence_of,
)
from tests.helpers.clock import NOW

ROOT = Path(__file__).parents[1]
HOUR = 3600


def test_the_worst_comes_first() -> None:
    """Facts are sorted by severity, and each is one phrase."""
    seen = [
        ("limit_not_told", ["c"], 1),
        ("limit_unreadable", ["a ('x')"], 1),
        ("servers_gone", ["imunify fell from 2 to 0 within 1h"], 1),
        ("limit_unreadable", ["b (-5)"], 1),
    ]
    assert phrases(seen) == [
        Phrase(
            Severity.CRITICAL, "servers_gone", "CLN no longer lists any servers: imunify fell from 2 to 0 within 1h"
        ),
        Phrase(Severity.WARNING, "limit_unreadable", "2 keys have a limit that cannot be read: a ('x'), b (-5)"),
        Phrase(Severity.INFO, "limit_not_told", "CLN does not report the limit of 1 key: c"),
    ]


def test_many() -> None:
    """A phrase names a few affected objects, and counts the others."""
    (phrase,) = phrases([("checkin_ahead", ["a", "b", "c", "d"], 900)])
    assert phrase.text == "900 servers have a last check-in more than 1h ahead of CLN's clock: a, b, c and 897 more"


@pytest.mark.parametrize("name", FACTS)
def test_an_eportal_is_not_cln(name: str) -> None:
    """What an ePortal reports is not said to be reported by CLN."""
    for count in (1, 2):
        (phrase,) = phrases([(name, ["a"], count)], "eportal")
        assert "CLN" not in phrase.text
        assert "{" not in phrase.text


def test_the_reporter_of_facts() -> None:
    """A phrase names the reporter, with a capital letter at its beginning."""
    seen = [("field_missing", ["ip of 3 servers"], 1), ("checkin_ahead", ["a"], 1)]
    assert [phrase.text for phrase in phrases(seen, "eportal")] == [
        "The ePortal reports no ip of 3 servers",
        "1 server has a last check-in more than 1h ahead of the ePortal's clock: a",
    ]


def test_a_fact_of_a_newer_exporter() -> None:
    """An unknown fact is a warning, and not an error."""
    (phrase,) = phrases([("newer", ["x"], 1)])
    assert (phrase.severity, phrase.fact) == (Severity.WARNING, "newer")


@pytest.mark.parametrize("name", FACTS)
def test_each_fact_is_in_the_documentation(name: str) -> None:
    """Each fact is documented with its severity."""
    bad = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "OK, noted"}
    page = (ROOT / "docs" / "faults.md").read_text()
    assert re.findall(rf"^\| `{name}` \| .* \| (.*) \|$", page, re.MULTILINE) == [bad[FACTS[name].severity]]
    assert len(FACTS[name].many.format(count=2, source="CLN")) > len("CLN")


def test_the_order() -> None:
    """The table is sorted from critical to none, apart from its subjects."""
    severities = [fact.severity for fact in FACTS.values()]
    assert severities == sorted(severities, reverse=True)


@pytest.mark.parametrize(
    ("used", "limit", "row"),
    [
        (17, 19, None),  # 89.5 %
        (9, 10, KEY_NEARLY_FULL),
        (99, 100, KEY_NEARLY_FULL),
        (100, 100, KEY_FULL),
        (12, 10, KEY_FULL),
        (1, 2, None),
        (2, 2, KEY_FULL),
        (0, 1, None),
        (1, 1, KEY_OF_ONE),
        (3, 1, KEY_OF_ONE),
        (5, 0, None),
        (0, 10, None),
    ],
)
def test_how_full_a_key_is(used: int, limit: int, row: Row | None) -> None:
    """A key with a limit of 2 or more is nearly full from 90 %; limits of 1 and 0 are exceptions."""
    assert key_fullness(used, limit) is row


def test_how_bad_a_full_key_is() -> None:
    """A full or nearly full key is a warning, and a full key for one server is nothing."""
    assert [row.severity for row in (KEY_FULL, KEY_NEARLY_FULL, KEY_OF_ONE)] == [
        Severity.WARNING,
        Severity.WARNING,
        None,
    ]


@pytest.mark.parametrize(
    ("ages", "stale_after", "expected"),
    [
        ((), DAY, Silence(checked_in=0, fresh=0, newly=0, long_silent=0, is_whole=False)),
        ((0, DAY), DAY, Silence(checked_in=2, fresh=2, newly=0, long_silent=0, is_whole=False)),
        ((0, DAY + 1), DAY, Silence(checked_in=2, fresh=1, newly=1, long_silent=0, is_whole=False)),
        ((DAY + 1,), DAY, Silence(checked_in=1, fresh=0, newly=1, long_silent=0, is_whole=False)),
        ((DAY + 1, 4 * DAY), DAY, Silence(checked_in=2, fresh=0, newly=2, long_silent=0, is_whole=True)),
        ((4 * DAY, 9 * DAY), DAY, Silence(checked_in=2, fresh=0, newly=1, long_silent=0, is_whole=True)),
        ((4 * DAY + 1, 9 * DAY), DAY, Silence(checked_in=2, fresh=0, newly=0, long_silent=0, is_whole=False)),
        ((2 * DAY, 30 * DAY), DAY, Silence(checked_in=2, fresh=0, newly=1, long_silent=0, is_whole=True)),
        ((2 * DAY, 30 * DAY + 1), DAY, Silence(checked_in=2, fresh=0, newly=1, long_silent=1, is_whole=True)),
        ((DAY // 2, DAY), DAY / 2, Silence(checked_in=2, fresh=1, newly=1, long_silent=0, is_whole=False)),
        ((31 * DAY, 40 * DAY), 40 * DAY, Silence(checked_in=2, fresh=2, newly=0, long_silent=0, is_whole=False)),
        ((40 * DAY + 1, 43 * DAY), 40 * DAY, Silence(checked_in=2, fresh=0, newly=2, long_silent=2, is_whole=True)),
        ((43 * DAY + 1, 44 * DAY), 40 * DAY, Silence(checked_in=2, fresh=0, newly=0, long_silent=2, is_whole=False)),
    ],
)
def test_the_silence_of_a_key(ages: tuple[float, ...], stale_after: float, expected: Silence) -> None:
    """Servers are silent after `stale_after`, newly so for 3 days, and long silent after 30 days."""
    found = silence_of(sorted(NOW - age for age in ages), NOW, stale_after)
    assert found == expected
    assert found.fresh + found.silent + found.long_silent == found.checked_in


@pytest.mark.parametrize(("stale_after", "days"), [(DAY / 2, 30), (DAY, 30), (30 * DAY, 30), (40 * DAY, 40)])
def test_from_when_a_server_is_gone(stale_after: float, days: int) -> None:
    """A server is long silent after 30 days, or after `stale_after` if that is longer."""
    assert gone_after(stale_after) == days * DAY


@pytest.mark.parametrize(
    ("newly", "total", "expected"),
    [
        (0, 0, False),
        (25, 400, False),
        (26, 400, True),
        (26, 10_000, True),
        (4, 4, False),
        (5, 5, True),
        (5, 50, False),  # 10 %, and not more
        (5, 49, True),
        (25, 250, False),
        (25, 249, True),
    ],
)
def test_what_is_many(newly: int, total: int, expected: bool) -> None:
    """Many is more than 25, or more than 10% and at least 5."""
    assert are_many(newly, total) is expected


@pytest.mark.parametrize(("created", "expected"), [(7 * DAY - 1, False), (7 * DAY, True), (0, False), (None, True)])
def test_a_license_that_is_unused_for_long(created: float | None, expected: bool) -> None:
    """An unused license is mentioned 7 days after its creation, or if that is unknown."""
    assert is_unused_long(None if created is None else NOW - created, NOW) is expected
