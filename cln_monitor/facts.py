"""What may be odd in an answer that was read all the same: the facts, how bad each is, and its words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .policy import Severity

CHECKIN_AHEAD = "checkin_ahead"
COUNT_UNREADABLE = "count_unreadable"
FIELD_MISSING = "field_missing"
FLAG_MISSING = "flag_missing"
LIMIT_NOT_TOLD = "limit_not_told"
LIMIT_UNREADABLE = "limit_unreadable"
NOT_AVAILABLE = "not_available"
SERVERS_DROPPED = "servers_dropped"
SERVERS_GONE = "servers_gone"
SERVERS_NOT_LISTED = "servers_not_listed"

MOST_NAMED = 3
"""Names in a phrase, of those that a fact is true of."""


class Fact(NamedTuple):
    """Something that may be odd: its ``severity``, the words for ``one`` and for ``many``, with ``{}`` for how many.

    What it is true of comes behind them, after a colon unless they end with a blank.
    """

    severity: Severity
    one: str
    many: str


FACTS: dict[str, Fact] = {
    SERVERS_GONE: Fact(Severity.CRITICAL, "CLN lists none any more", "CLN lists none any more"),
    FIELD_MISSING: Fact(Severity.WARNING, "CLN tells no ", "CLN tells no "),
    LIMIT_UNREADABLE: Fact(
        Severity.WARNING, "1 key has a limit that cannot be read", "{} keys have a limit that cannot be read"
    ),
    CHECKIN_AHEAD: Fact(
        Severity.WARNING,
        "1 server has a last check-in more than 1h ahead of CLN's clock",
        "{} servers have a last check-in more than 1h ahead of CLN's clock",
    ),
    FLAG_MISSING: Fact(Severity.WARNING, "CLN no longer tells 1 flag", "CLN no longer tells {} flags"),
    SERVERS_DROPPED: Fact(Severity.WARNING, "CLN lists far fewer", "CLN lists far fewer"),
    SERVERS_NOT_LISTED: Fact(
        Severity.INFO, "CLN lists fewer servers than it counts", "CLN lists fewer servers than it counts"
    ),
    COUNT_UNREADABLE: Fact(
        Severity.INFO,
        "1 key has a number of servers that cannot be read",
        "{} keys have a number of servers that cannot be read",
    ),
    LIMIT_NOT_TOLD: Fact(Severity.INFO, "CLN tells no limit of 1 key", "CLN tells no limit of {} keys"),
    NOT_AVAILABLE: Fact(Severity.INFO, "not available to this account", "not available to this account"),
}
"""The facts by name, the worst first. ``docs/faults.md`` says of each when it is true."""

_OF_ANOTHER_VERSION = Fact(
    Severity.WARNING, "the exporter tells something unknown", "the exporter tells what is unknown"
)


class Phrase(NamedTuple):
    """A fact in words, with the first of what it is true of."""

    severity: Severity
    fact: str
    text: str


def phrases(seen: Iterable[tuple[str, Sequence[str], int]]) -> list[Phrase]:
    """Return a phrase for each fact that was ``seen``, the worst first: what it is true of, and of how many."""
    names: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for fact, some, count in seen:
        names.setdefault(fact, []).extend(some)
        counts[fact] = counts.get(fact, 0) + count
    order = list(FACTS)
    known = sorted(names, key=lambda fact: order.index(fact) if fact in FACTS else -1)
    return [_phrase(fact, names[fact], counts[fact]) for fact in known]


def _phrase(name: str, names: Sequence[str], count: int) -> Phrase:
    fact = FACTS.get(name, _OF_ANOTHER_VERSION)
    words = fact.one if count == 1 else fact.many.format(count)
    colon = "" if words.endswith(" ") else ": "
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    return Phrase(fact.severity, name, f"{words}{colon}{', '.join(sorted(names)[:MOST_NAMED])}{more}")
