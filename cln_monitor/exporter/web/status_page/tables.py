"""The tables of the page: servers, keys, kernels, licenses, groups and bills."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cln_monitor.cln import Limit
from cln_monitor.durations import format_age
from cln_monitor.probes import product_name

from . import formatting
from .formatting import MOST_ROWS, Truncated
from .probe_status import PRODUCTS, ProbeStatus
from .problems import PATCH_WORDS
from .server_pools import MOST_SERVERS, SilentServer
from .staleness import KeySilence, Kind
from .summary import KeyUse

_CALM = {
    Kind.UNDATED: "possibly new",
    Kind.GONE: "still billed",
    Kind.SUPERSEDED: "superseded",
    Kind.DISABLED: "key disabled",
}
"""The kinds of servers that are only worth a word, and the word."""
_IN_A_KEY = {
    Kind.SILENT: "silent",
    Kind.NEVER: "never checked in",
    Kind.UNDATED: "possibly new",
    Kind.GONE: "gone",
    Kind.SUPERSEDED: "superseded",
}
"""The words for the servers of a key, by their kind."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server that is silent. ``share``: percent of the longest silence here; ``why`` it is only worth a word."""

    account: str
    product: str
    key: str
    note: str
    server_id: str
    host: str
    ip: str
    state: str
    silent: str
    moment: str
    why: str
    share: float


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key and how full it is. ``share``: percent of its limit, None for no limit."""

    account: str
    product: str
    key: str
    note: str
    is_disabled: bool
    used: str
    limit: str
    state: str
    share: float | None
    silent: str


@dataclass(frozen=True, slots=True)
class PatchRow:
    """The kernels of an account: each state's name, words, count, and its piece of the bar in percent."""

    account: str
    total: str
    pieces: tuple[tuple[str, str, str, float, float], ...]


@dataclass(frozen=True, slots=True)
class LicenseRow:
    """The IP licenses of a type in an account."""

    account: str
    license: str
    used: str
    unused: str
    has_unused: bool
    share: float


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group and the number of its servers."""

    account: str
    group: str
    servers: str


@dataclass(frozen=True, slots=True)
class BillRow:
    """What AccelerateWP is billed for in the current month."""

    account: str
    product: str
    limit: str
    month: str
    billable: str


def servers(seen: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the servers that are silent, those that have been longest first; behind them those worth a word only."""
    found = [
        (each, server, kind)
        for each in seen
        if each.digest.check_ins
        for kind, named in each.named_servers(now).items()
        for server in named
    ]
    longest = heapq.nsmallest(MOST_SERVERS, found, key=lambda row: (row[2] in _CALM, row[1].since))
    worst = max((now - server.since for _, server, _ in longest if server.since < math.inf), default=0.0)
    silent = sum(each.silence(now).all for each in seen if each.digest.check_ins)
    notes = {id(each): each.notes for each, _, _ in longest}
    rows = [
        _server(
            *(each, server, kind),
            note=notes[id(each)].get(server.key, ""),
            host=each.host_of(server),
            now=now,
            worst=worst,
        )
        for each, server, kind in longest
    ]
    return Truncated(rows, max(0, silent - len(longest)))


def _server(
    status: ProbeStatus, server: SilentServer, kind: Kind, *, note: str, host: str, now: float, worst: float
) -> ServerRow:
    silence = max(0.0, now - server.since) if server.since < math.inf else None
    if server.last_checkin is None:
        silent = "never checked in" if silence is None else f"{format_age(silence)}, never checked in"
    else:
        silent = format_age(silence or 0.0)
    return ServerRow(
        account=status.view.account,
        product=PRODUCTS[status.view.probe],
        key=formatting.short(server.key),
        note=formatting.short(note),
        server_id=formatting.short(server.server_id),
        host=formatting.short(host),
        ip=formatting.short(server.ip) or "no address",
        state="info" if kind in _CALM else "never" if server.last_checkin is None else "stale",
        silent=silent,
        moment="" if silence is None else formatting.moment(server.since, now),
        why=_CALM.get(kind, ""),
        share=_percent(silence or 0.0, worst),
    )


def _percent(part: float, whole: float) -> float:
    return round(100 * min(1.0, part / whole), 1) if whole > 0 else 0.0


def keys(seen: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the keys, the fullest first, and those that are disabled last."""
    found = [(each, key) for each in seen for key in each.digest.keys]
    first = heapq.nsmallest(MOST_ROWS, found, key=lambda pair: (pair[1].is_disabled, -pair[1].fullness, -pair[1].used))
    silences = {id(each): {key.use.key: key for key in each.silence_of_keys(now) if key.use} for each, _ in first}
    rows = [_key(each, key, silences[id(each)].get(key.key)) for each, key in first]
    return Truncated(rows, len(found) - len(first))


def _key(status: ProbeStatus, key: KeyUse, silence: KeySilence | None) -> KeyRow:
    silent = ""
    if key.check_ins is not None and silence is not None and key.used and not key.is_disabled:
        counts = {_IN_A_KEY[kind]: count for kind, count in silence.counts.items() if kind in _IN_A_KEY}
        counts["unknown"] = key.check_ins.unknown
        silent = ", ".join(f"{formatting.number(count)} {words}" for words, count in counts.items() if count) or "none"
    return KeyRow(
        account=status.view.account,
        product=formatting.short(key.product),
        key=formatting.short(key.key),
        note=formatting.short(key.note),
        is_disabled=key.is_disabled,
        used=formatting.number(key.used),
        limit=_limit(key.limit),
        state="info" if key.is_disabled else "ok" if key.severity is None else key.severity.word,
        share=_percent(key.used, key.most) if key.most else None,
        silent=silent,
    )


def _limit(limit: Limit) -> str:
    if isinstance(limit, str):
        return f"“{formatting.short(limit)}”"
    return "unknown" if limit is None else formatting.number(limit) if limit else "unlimited"


def patches(seen: Sequence[ProbeStatus]) -> Truncated:
    """Return the kernels of each account that has any."""
    counted = [(each.view.account, each.digest.patched.counts) for each in _of("patch_status", seen)]
    return Truncated.of([_patches(account, counts) for account, counts in counted if any(counts.values())])


def _patches(account: str, counts: Mapping[str, int]) -> PatchRow:
    order = list(PATCH_WORDS)
    total = sum(counts.values())
    pieces, start = [], 0.0
    for state in sorted(counts, key=lambda state: order.index(state) if state in order else len(order)):
        share = 100 * counts[state] / total
        name = state if state in PATCH_WORDS else order[-1]
        told = formatting.short(PATCH_WORDS.get(state, state))
        pieces.append((name, told, formatting.number(counts[state]), round(start, 2), round(share, 2)))
        start += share
    return PatchRow(account, formatting.count(total, "server"), tuple(pieces))


def licenses(seen: Sequence[ProbeStatus]) -> Truncated:
    """Return the types of IP licenses, those with the most unused ones first."""
    found = [(each.view.account, license_) for each in seen for license_ in each.digest.licenses]
    found.sort(key=lambda pair: -pair[1].unused)
    return Truncated.of(
        [
            LicenseRow(
                account=account,
                license=formatting.short(each.license),
                used=formatting.number(each.registered)
                + (f", {formatting.number(each.unknown)} unknown" if each.unknown else ""),
                unused=formatting.number(each.unused),
                has_unused=bool(each.unused),
                share=_percent(each.registered, each.registered + each.unused),
            )
            for account, each in found
        ]
    )


def groups(seen: Sequence[ProbeStatus]) -> Truncated:
    """Return the groups, the largest first."""
    found = [(each.view.account, group) for each in _of("groups", seen) for group in _values(each)]
    found.sort(key=lambda pair: -len(pair[1].servers))
    rows = [
        GroupRow(account, formatting.short(each.group), formatting.number(len(each.servers))) for account, each in found
    ]
    return Truncated.of(rows)


def bills(seen: Sequence[ProbeStatus]) -> Truncated:
    """Return what AccelerateWP is billed for."""
    found = [
        (each.view.account, month.month, counted)
        for each in _of("awp", seen)
        for month in _values(each)
        for counted in month.counts
    ]
    return Truncated.of(
        [
            BillRow(
                account,
                formatting.short(product_name("awp", each.product)),
                formatting.short(each.cdn_limit),
                month,
                formatting.number(each.billable),
            )
            for account, month, each in found
        ]
    )


def _of(probe: str, seen: Sequence[ProbeStatus]) -> list[ProbeStatus]:
    return [each for each in seen if each.view.probe == probe]


def _values(seen: ProbeStatus) -> list[Any]:
    return [] if seen.view.observation is None else [part.value for part in seen.view.observation.parts]
