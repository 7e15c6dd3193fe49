"""The common panels of dashboards for products whose servers check in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from grafana_foundation_sdk.builders import stat, table, timeseries

from . import counts, silence
from . import queries as q
from .host_names import with_host_name
from .names import CHECKINS, FAMILIES
from .panels import (
    CALM,
    CHECKIN_COLORS,
    NONE_IS_GOOD,
    NONE_OR_INFO,
    NOTICE,
    POLLED,
    WARN,
    lines,
    number,
)
from .queries import Scope
from .tables import DAYS, Column, rows

_STALE_AFTER = "the age selected as “Stale after”, by default stale_after of the exporter"
_NO_SERIES = "With server_series: false it is counted per key, without superseded servers and IP licenses."
_HEIGHT = 3
ONLY_SERIES = "Empty with server_series: false."


def _sources(scope: Scope) -> str:
    sources = {
        "kernelcare": "/kcare/key/servers.json",
        "imunify": "/im/srv/list.json",
        "els": "/els/srv/list.json (lastCheckin)",
        "ip_license": "/ipl/server.json (addresses with a license in use, without duplicates)",
    }
    return f"last_checkin of {', '.join(sources[family] for family in _families(scope))}"


def _families(scope: Scope) -> list[str]:
    return [family for family in silence.CHECKING_IN if scope.has(family)]


def summed(scope: Scope, count: str) -> str:
    """Return the sum of the function ``count`` of `counts` over all products of ``scope``."""
    make = getattr(counts, count)
    return f"sum({scope.all(make, *_families(scope))})"


def servers_number(scope: Scope, width: int) -> stat.Panel:
    """Return a panel with the number of servers that should check in."""
    sources = {
        "kernelcare": "servers that /kcare/key/servers.json lists for the keys",
        "imunify": "servers that /im/srv/list.json lists for the keys",
        "els": "servers that /els/srv/list.json lists for the keys",
        "ip_license": "addresses with an IP license in use in /ipl/list.json",
    }
    return number(
        "Servers that check in",
        f"Servers that check in or should, including those of disabled keys, as on the status page: "
        f"{', '.join(sources[family] for family in _families(scope))}. "
        "A server with two products counts twice; with server_series: false, so does an address with two licenses. "
        f"{POLLED}",
        summed(scope, "servers"),
        size=(width, _HEIGHT),
    )


def silent_numbers(scope: Scope, newly: int, silent: int) -> list[stat.Panel]:
    """Return panels with the numbers of newly silent and silent servers."""
    return [
        number(
            "Newly silent",
            f"Servers that became silent within the last 3 days, from {_sources(scope)}. Empty with "
            f"server_series: false. {POLLED}",
            summed(scope, "newly_silent"),
            NONE_IS_GOOD,
            size=(newly, _HEIGHT),
        ),
        number(
            "Silent",
            f"Servers whose last check-in is older than {_STALE_AFTER}, up to 30 days, without superseded servers and "
            f"those of disabled keys. From {_sources(scope)}. {_NO_SERIES} {POLLED}",
            summed(scope, "silent"),
            NONE_IS_GOOD,
            size=(silent, _HEIGHT),
        ),
    ]


def numbers(scope: Scope) -> list[stat.Panel]:
    """Return a row of panels with the numbers of servers and of those that do not check in."""
    superseded = scope.has("kernelcare")
    widths = (5, 4, 3, 5, 3) if superseded or scope.families == ("imunify",) else (6, 4, 4, 6, 4)
    return [
        servers_number(scope, widths[0]),
        *silent_numbers(scope, *widths[1:3]),
        never_number(scope, widths[3]),
        gone_number(scope, widths[4]),
        *([superseded_number(scope, 4)] if superseded else []),
    ]


def never_number(scope: Scope, width: int) -> stat.Panel:
    """Return a panel with the number of servers that never checked in; only info if none has a registration date."""
    dated = [family for family in _families(scope) if family not in silence.UNDATED]
    undated = [family for family in _families(scope) if family in silence.UNDATED]
    when = "24 hours or longer after their registration" if dated else "at all; CLN does not report since when"
    names = " and ".join(FAMILIES[family] for family in undated)
    excluded = f" Without {names}, as CLN does not report since when." if dated and undated else ""
    return number(
        "Never checked in",
        f"Servers that have not checked in {when}.{excluded} From {_sources(scope)}. {_NO_SERIES} {POLLED}",
        f"sum({scope.all(counts.never, *(dated or undated))})",
        NONE_IS_GOOD if dated else NONE_OR_INFO,
        size=(width, _HEIGHT),
    )


def gone_number(scope: Scope, width: int) -> stat.Panel:
    """Return a panel with the number of servers that are gone, which is informational."""
    return number(
        "Gone",
        "Servers whose last check-in is older than 30 days (or stale_after if that is longer). They are still billed: "
        f"remove them. From {_sources(scope)}. {_NO_SERIES} {POLLED}",
        summed(scope, "long_silent"),
        CALM,
        size=(width, _HEIGHT),
    )


def superseded_number(scope: Scope, width: int) -> stat.Panel:
    """Return a panel with the number of superseded servers."""
    return number(
        "Superseded",
        "Silent KernelCare servers whose address has registered again since, from created and last_checkin of "
        "/kcare/key/servers.json. They are still billed: remove them. With server_series: false, from "
        f"cln_kernelcare_key_servers_superseded. {POLLED}",
        f"sum({counts.superseded(scope)})",
        CALM,
        size=(width, _HEIGHT),
    )


def disabled_number(scope: Scope, width: int) -> stat.Panel:
    """Return a panel with the number of silent servers of disabled keys."""
    return number(
        "On disabled keys",
        "Silent servers of disabled KernelCare keys, which no other panel counts. From "
        f"{_sources(Scope(('kernelcare',)))}, and enabled of /kcare/key/list.json. {_NO_SERIES} {POLLED}",
        f"sum({counts.of_disabled(scope)})",
        CALM,
        size=(width, _HEIGHT),
    )


def checkins_over_time(scope: Scope, size: tuple[int, int], link: str = "") -> timeseries.Panel:
    """Return a graph of the numbers of servers by check-in."""
    return lines(
        "Check-ins over time, as configured",
        "Servers that check in or should, by the age of their check-in: fresh; silent for longer than stale_after of "
        "the exporter (including gone and superseded ones and those of disabled keys); never checked in; unknown. "
        f"From {_sources(scope)}. {POLLED}",
        [(f"sum by (checkin) ({scope.all(counts.by_checkin, *_families(scope))})", "{{checkin}}")],
        size=size,
        stacked=True,
        colors=CHECKIN_COLORS,
        names=CHECKINS,
        link=link,
    )


_GRADES = {"newly": ("newly silent", WARN), "silent": ("silent", WARN)}
_REASONS = {
    "gone": ("gone", NOTICE),
    "superseded": ("superseded", NOTICE),
    "disabled": ("key disabled", NOTICE),
}


def _graded(series: str, grade: str) -> str:
    return f'label_replace({series}, "grade", "{grade}", "", "")'


def _described(scope: Scope, ages: str, among: Callable[[Scope, str], str], families: Sequence[str]) -> str:
    """Return ``ages`` of servers in days, with their host names and the notes of their keys.

    They are servers of ``families``, and ``among`` those that this function returns.
    """
    return q.with_note(scope, with_host_name(scope, f"({ages}) / 86400", among, *families))


def _columns(scope: Scope, head: str, ages: str) -> list[Column]:
    many = len(scope.families) > 1
    of_licenses = scope.families == ("ip_license",)
    key = "License" if of_licenses else "Key or license" if scope.has("ip_license") else "Key"
    return [
        Column("Value", ages, unit=DAYS, decimals=1, width=110, right=True),
        Column("grade", head, width=115, shown=_GRADES | _REASONS),
        *([Column("family", "Product", shown=FAMILIES, width=105)] if many else []),
        Column("hostname", "Host"),
        Column("ip", "Address", width=150),
        Column("server_id", "Server"),
        Column("key", key, width=None if of_licenses else 150),
        Column("note", "Note"),
        Column("account", "Account", width=110),
    ]


def silent_table(scope: Scope, size: tuple[int, int], link: str = "") -> table.Panel:
    """Return a table of the silent servers that are not gone, the most recent first."""
    found = scope.all(
        lambda scope_, family: q.any_of(
            [
                _graded(silence.newly_among_silent(scope_, family), "newly"),
                _graded(silence.silent_before(scope_, family), "silent"),
            ]
        ),
        *_families(scope),
    )
    return rows(
        "Silent servers",
        f"Servers whose last check-in is older than {_STALE_AFTER}, the most recent first; newly silent means within "
        f"the last 3 days. From {_sources(scope)}. {ONLY_SERIES} {POLLED}",
        [f"sort({_described(scope, found, silence.is_silent, _families(scope))})"],
        _columns(scope, "State", "Silent for"),
        size=size,
        none="No server is silent",
        sort=[("Silent for", False)],
        link=link,
    )


def gone_table(scope: Scope, size: tuple[int, int]) -> table.Panel:
    """Return a table of the servers that are only billed, the longest silent first."""
    found = [_graded(scope.all(silence.long_silent, *_families(scope)), "gone")]
    if scope.has("kernelcare"):
        of_kernelcare = {"superseded": silence.superseded(scope), "disabled": silence.of_disabled(scope)}
        found += [
            _graded(f'label_replace({series}, "family", "kernelcare", "", "")', grade)
            for grade, series in of_kernelcare.items()
        ]
    return rows(
        "Servers to remove",
        "Servers that are still billed but not expected to come back: silent for more than 30 days, superseded by a "
        f"newer registration of their address, or silent with a disabled key. From {_sources(scope)}. "
        f"{ONLY_SERIES} {POLLED}",
        [f"sort_desc({_described(scope, q.any_of(found), silence.is_silent, _families(scope))})"],
        _columns(scope, "Why", "Silent for"),
        size=size,
        none="No servers to remove",
        sort=[("Silent for", True)],
    )


def never_table(scope: Scope, size: tuple[int, int]) -> table.Panel:
    """Return a table of the servers that never checked in, the oldest first."""
    families = [family for family in _families(scope) if family not in silence.UNDATED]
    found = scope.all(silence.never, *families)
    return rows(
        "Servers that have never checked in",
        "Servers that have not checked in 24 hours or longer after their registration, the oldest first; CLN does not "
        f"report it for Imunify and ELS. From {_sources(scope)} and created. {ONLY_SERIES} {POLLED}",
        [f"sort_desc({_described(scope, found, silence.without_checkin, families)})"],
        [column for column in _columns(scope, "State", "Registered") if column.field != "grade"],
        size=size,
        none="All servers have checked in",
        sort=[("Registered", True)],
    )
