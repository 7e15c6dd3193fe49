"""Facts about responses that were read but look wrong: their names, severities and texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .policy import Severity
from .source_kinds import server_of

CHECKIN_AHEAD = "checkin_ahead"
CHECKIN_NOT_TOLD = "checkin_not_told"
COUNT_UNREADABLE = "count_unreadable"
FIELD_MISSING = "field_missing"
FLAG_MISSING = "flag_missing"
LIMIT_NOT_TOLD = "limit_not_told"
LIMIT_UNREADABLE = "limit_unreadable"
NOT_AVAILABLE = "not_available"
PATCHES_UNREADABLE = "patches_unreadable"
SERVERS_DROPPED = "servers_dropped"
SERVERS_GONE = "servers_gone"
SERVERS_NOT_LISTED = "servers_not_listed"

MOST_NAMED = 3
"""Maximum number of affected names in a phrase."""


class Fact(NamedTuple):
    """A fact that may need attention: its ``severity``, and its text for ``one`` and for ``many`` affected names.

    ``{count}`` is their number, and ``{source}`` is who reported the data. The names follow the text, after a colon
    unless the text ends with a space.
    """

    severity: Severity
    one: str
    many: str


FACTS: dict[str, Fact] = {
    SERVERS_GONE: Fact(
        Severity.CRITICAL, "{source} no longer lists any servers", "{source} no longer lists any servers"
    ),
    FIELD_MISSING: Fact(Severity.WARNING, "{source} reports no ", "{source} reports no "),
    LIMIT_UNREADABLE: Fact(
        Severity.WARNING, "1 key has a limit that cannot be read", "{count} keys have a limit that cannot be read"
    ),
    CHECKIN_AHEAD: Fact(
        Severity.WARNING,
        "1 server has a last check-in more than 1h ahead of {source}'s clock",
        "{count} servers have a last check-in more than 1h ahead of {source}'s clock",
    ),
    FLAG_MISSING: Fact(
        Severity.WARNING, "{source} no longer reports 1 flag", "{source} no longer reports {count} flags"
    ),
    SERVERS_DROPPED: Fact(Severity.WARNING, "{source} lists far fewer servers", "{source} lists far fewer servers"),
    SERVERS_NOT_LISTED: Fact(
        Severity.INFO, "{source} lists fewer servers than it counts", "{source} lists fewer servers than it counts"
    ),
    COUNT_UNREADABLE: Fact(
        Severity.INFO,
        "1 key has a number of servers that cannot be read",
        "{count} keys have a number of servers that cannot be read",
    ),
    CHECKIN_NOT_TOLD: Fact(Severity.INFO, "{source} reports no ", "{source} reports no "),
    PATCHES_UNREADABLE: Fact(
        Severity.INFO,
        "patch data could not be read from the patch server",
        "patch data could not be read from the patch server, {count} requests failed",
    ),
    LIMIT_NOT_TOLD: Fact(
        Severity.INFO,
        "{source} does not report the limit of 1 key",
        "{source} does not report the limit of {count} keys",
    ),
    NOT_AVAILABLE: Fact(Severity.INFO, "not available to this account", "not available to this account"),
}
"""The facts by name, the most severe first. ``docs/faults.md`` says when each applies."""

_OF_ANOTHER_VERSION = Fact(
    Severity.WARNING, "the exporter reports an unknown fact", "the exporter reports an unknown fact"
)


class Phrase(NamedTuple):
    """The text of a fact, with the first affected names."""

    severity: Severity
    fact: str
    text: str


def phrases(observed: Iterable[tuple[str, Sequence[str], int]], probe: str = "") -> list[Phrase]:
    """Return a phrase for each ``observed`` fact of the data of ``probe``, the most severe first.

    ``observed`` has the name of a fact, the first affected names, and the number of all of them.
    """
    source = server_of(probe)
    names: dict[str, list[str]] = {}
    counts: dict[str, int] = {}
    for fact, first_names, count in observed:
        names.setdefault(fact, []).extend(first_names)
        counts[fact] = counts.get(fact, 0) + count
    order = list(FACTS)
    known = sorted(names, key=lambda fact: order.index(fact) if fact in FACTS else -1)
    return [_phrase(fact, names[fact], counts[fact], source) for fact in known]


def _phrase(name: str, names: Sequence[str], count: int, source: str) -> Phrase:
    fact = FACTS.get(name, _OF_ANOTHER_VERSION)
    text = (fact.one if count == 1 else fact.many).format(count=count, source=source)
    text = text[0].upper() + text[1:] if text.startswith(source) else text
    colon = "" if text.endswith(" ") else ": "
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    return Phrase(fact.severity, name, f"{text}{colon}{', '.join(sorted(names)[:MOST_NAMED])}{more}")
