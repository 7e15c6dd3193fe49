"""The tables of the page: servers, keys, kernels, licenses, groups and bills."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cln_monitor.cln import Limit
from cln_monitor.durations import format_age
from cln_monitor.policy import NEVER_AFTER, gone_after, superseded

from . import formatting
from .formatting import MOST_ROWS, Truncated
from .probe_status import PRODUCTS, ProbeStatus, patch_counts
from .problems import PATCH_WORDS
from .summary import MOST_SERVERS, KeyUse, SilentServer


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server that is silent. ``share``: percent of the longest silence here; ``why`` it is only worth a word."""

    account: str
    product: str
    key: str
    server_id: str
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
    found = [(each, server, why) for each in seen for server, why in _silent_of(each, now)]
    longest = heapq.nsmallest(MOST_SERVERS, found, key=lambda row: (bool(row[2]), row[1].since))
    worst = max((now - server.since for _, server, _ in longest if server.since < math.inf), default=0.0)
    silent = sum(each.silence(now).all for each in seen if each.digest.check_ins)
    return Truncated([_server(*row, now, worst) for row in longest], max(0, silent - len(longest)))


def _silent_of(seen: ProbeStatus, now: float) -> Iterator[tuple[SilentServer, str]]:
    """Yield the longest silent servers, each with why it is only worth a word, if it is."""
    off = {key.key for key in seen.digest.keys if key.enabled is False}
    anew = {(each.key, each.ip, each.last_checkin) for each in superseded(seen.digest.shared, now, seen.stale_after)}
    gone = now - gone_after(seen.stale_after)
    for server in seen.digest.longest:
        if not _is_silent(server, seen, now):
            continue
        if server.key in off:
            yield server, "its key is disabled"
        elif (server.key, server.ip, server.last_checkin) in anew:
            yield server, "registered anew"
        elif server.last_checkin and server.last_checkin < gone:
            yield server, "still billed"
        elif server.since == math.inf:
            yield server, "perhaps new"
        else:
            yield server, ""


def _is_silent(server: SilentServer, seen: ProbeStatus, now: float) -> bool:
    """Tell whether a server counts as silent: one that was registered a moment ago has time to check in."""
    if server.last_checkin is None:
        return server.created is None or now - server.created > NEVER_AFTER
    return now - (server.last_checkin or now) > seen.stale_after


def _server(seen: ProbeStatus, server: SilentServer, why: str, now: float, worst: float) -> ServerRow:
    silence = max(0.0, now - server.since) if server.since < math.inf else None
    if server.last_checkin is None:
        silent = "never seen" if silence is None else f"{format_age(silence)}, never seen"
    else:
        silent = format_age(now - server.since)
    return ServerRow(
        account=seen.view.account,
        product=PRODUCTS[seen.view.probe],
        key=formatting.short(server.key),
        server_id=formatting.short(server.server_id),
        ip=formatting.short(server.ip) or "no address",
        state="info" if why else "never" if server.last_checkin is None else "stale",
        silent=silent,
        moment="" if silence is None else formatting.moment(server.since, now),
        why=why,
        share=_percent(silence or 0.0, worst),
    )


def _percent(part: float, whole: float) -> float:
    return round(100 * min(1.0, part / whole), 1) if whole > 0 else 0.0


def keys(seen: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the keys, the fullest first."""
    found = [(each, key) for each in seen for key in each.digest.keys]
    first = heapq.nlargest(MOST_ROWS, found, key=lambda pair: (pair[1].fullness, pair[1].used))
    return Truncated([_key(each, key, now) for each, key in first], len(found) - len(first))


def _key(seen: ProbeStatus, key: KeyUse, now: float) -> KeyRow:
    silent = ""
    if key.check_ins is not None and key.used:
        counts = {
            "stale": seen.stale(now, key.check_ins),
            "never": key.check_ins.never,
            "unknown": key.check_ins.unknown,
        }
        told = [f"{formatting.number(count)} {what}" for what, count in counts.items() if count]
        silent = ", ".join(told) or "none silent"
    return KeyRow(
        account=seen.view.account,
        product=formatting.short(key.product),
        key=formatting.short(key.key),
        note=formatting.short(key.note),
        used=formatting.number(key.used),
        limit=_limit(key.limit),
        state="ok" if key.severity is None else key.severity.word,
        share=_percent(key.used, key.most) if key.most else None,
        silent=silent,
    )


def _limit(limit: Limit) -> str:
    if isinstance(limit, str):
        return f"“{formatting.short(limit)}”"
    return "not told" if limit is None else formatting.number(limit) if limit else "unlimited"


def patches(seen: Sequence[ProbeStatus]) -> Truncated:
    """Return the kernels of each account that has any."""
    counted = [(each.view.account, patch_counts(each.view.observation)) for each in _of("patch_status", seen)]
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
                + (f", {formatting.number(each.unknown)} not told" if each.unknown else ""),
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
                formatting.short(each.product),
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
