"""Groups of servers: which servers are together, and which of them are named."""

from __future__ import annotations

import random

import pytest

from cln_monitor.checkin_groups import (
    DISABLED,
    LONG_SILENT,
    MOST_NAMED,
    NEVER,
    SEEN,
    SUPERSEDED,
    UNKNOWN,
    Row,
    Rule,
    ServerGroups,
    group_servers,
    over,
)
from tests.helpers.clock import NOW

DAY = 86400.0
POLICY = Rule(DAY, over(DAY), None, by_policy=True)
RANGES = Rule(DAY, over(60), over(3600), by_policy=False)


def row(
    age: float | None, *, key: str = "K", name: str = "a", created: float | None = None, is_disabled: bool = False
) -> Row:
    """Return a server that checked in ``age`` seconds ago."""
    return Row(key, name, name, None if age is None else NOW - age, created, is_disabled)


@pytest.mark.parametrize(
    ("server", "rule", "expected"),
    [
        (row(DAY), POLICY, (0, 0, SEEN, True, "")),
        (row(DAY + 1), POLICY, (1, 1, SEEN, True, "")),
        (row(31 * DAY), POLICY, (0, 1, SEEN, True, LONG_SILENT)),
        (row(31 * DAY, is_disabled=True), POLICY, (0, 1, SEEN, True, DISABLED)),
        (row(9 * DAY, name="old"), POLICY, (0, 1, SEEN, True, SUPERSEDED)),
        (row(9 * DAY, name="old"), RANGES, (2, 2, SEEN, True, "")),
        (row(61), RANGES, (1, 1, SEEN, True, "")),
        (row(-5), RANGES, (0, 0, SEEN, True, "")),
        (row(None), POLICY, (0, 0, NEVER, False, "")),
        (row(None, created=NOW - DAY), POLICY, (0, 0, NEVER, True, "")),
        (row(None, created=NOW - DAY - 1), POLICY, (1, 1, NEVER, True, "")),
        (row(None, created=NOW - 61), RANGES, (1, 1, NEVER, True, "")),
        (row(0)._replace(last_checkin=UNKNOWN), POLICY, (1, 1, UNKNOWN, False, "")),
    ],
)
def test_the_group_of_a_server(server: Row, rule: Rule, expected: tuple[int, int, str, bool, str]) -> None:
    """A server is grouped by its state, its kind of check-in, and the note that makes it no problem."""
    [group] = group_servers([server], rule, NOW, {("K", "old")}).groups
    assert (group.state, group.found, group.checkin, group.is_dated, group.note) == expected


def test_the_oldest_are_named() -> None:
    """Of many servers, the hundred oldest are named, in the order of the list where they are equally old."""
    ages = [float(number // 2) for number in range(4000)]
    random.Random(1).shuffle(ages)
    rows = [row(age, name=str(number)) for number, age in enumerate(ages)]
    [group] = group_servers(rows, POLICY, NOW).groups
    expected = sorted(range(4000), key=lambda number: (-ages[number], number))[:MOST_NAMED]
    assert (group.size, [server.number for server in group.servers]) == (4000, expected)


def test_servers_that_fell_silent() -> None:
    """Newly silent servers are counted, and keys without any fresh server; notes that have their own count are not."""
    rows = [
        *(row(2 * DAY, key="A", name=name) for name in "ab"),
        row(2 * DAY, key="B"),
        row(5 * DAY, key="C"),
        row(2 * DAY, key="C", name="old"),
        row(2 * DAY, key="D", is_disabled=True),
    ]
    groups = group_servers(rows, POLICY, NOW, {("C", "old")})
    assert (groups.newly, groups.judged, groups.superseded, groups.total) == (3, 4, 1, 6)
    assert groups.whole_keys == [("A", 2)]


def test_json() -> None:
    """Groups survive their JSON form."""
    groups = group_servers([row(2 * DAY, name=name) for name in "ab"], POLICY, NOW)
    assert ServerGroups.from_json(groups.to_json()) == groups
