"""The tables of the page: servers, keys, kernels, licenses, groups, and bills."""

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
from .formatting import MAX_ROWS, Truncated
from .probe_status import PRODUCTS, ProbeStatus
from .problems import PATCH_STATES
from .server_pools import MOST_SERVERS, SilentServer
from .staleness import KeySilence, Kind
from .summary import KeyUse

_CALM = {
    Kind.UNDATED: "possibly new",
    Kind.GONE: "still billed",
    Kind.SUPERSEDED: "superseded",
    Kind.DISABLED: "key disabled",
}
"""The informational kinds of servers, with their display text."""
_IN_A_KEY = {
    Kind.SILENT: "silent",
    Kind.NEVER: "never checked in",
    Kind.UNDATED: "possibly new",
    Kind.GONE: "gone",
    Kind.SUPERSEDED: "superseded",
}
"""The display text for the servers of a key, by kind."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A silent server. ``share`` is percent of the longest silence; ``why`` explains an informational row."""

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
    """A key and its usage. ``share`` is percent of its limit, None without a limit."""

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
    """The kernels of an account: name, text, count, and start and width of the bar in percent, for each state."""

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
    """The billable AccelerateWP entities of a month."""

    account: str
    product: str
    limit: str
    month: str
    billable: str


def servers(statuses: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the silent servers, the longest silent first, followed by informational ones."""
    found = [
        (status, server, kind)
        for status in statuses
        if status.summary.check_ins
        for kind, named in status.named_servers(now).items()
        for server in named
    ]
    longest = heapq.nsmallest(MOST_SERVERS, found, key=lambda row: (row[2] in _CALM, row[1].since))
    worst = max((now - server.since for _, server, _ in longest if server.since < math.inf), default=0.0)
    silent = sum(status.silence(now).all for status in statuses if status.summary.check_ins)
    notes = {id(status): status.notes for status, _, _ in longest}
    rows = [
        _server(
            *(status, server, kind),
            note=notes[id(status)].get(server.key, ""),
            host=status.host_of(server),
            now=now,
            worst=worst,
        )
        for status, server, kind in longest
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


def keys(statuses: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the keys, the fullest first, disabled ones last."""
    found = [(status, key) for status in statuses for key in status.summary.keys]
    first = heapq.nsmallest(MAX_ROWS, found, key=lambda pair: (pair[1].is_disabled, -pair[1].fullness, -pair[1].used))
    silences = {id(status): {key.use.key: key for key in status.silence_of_keys(now) if key.use} for status, _ in first}
    rows = [_key(status, key, silences[id(status)].get(key.key)) for status, key in first]
    return Truncated(rows, len(found) - len(first))


def _key(status: ProbeStatus, key: KeyUse, silence: KeySilence | None) -> KeyRow:
    silent = ""
    if (
        status.first_poll is None
        and key.check_ins is not None
        and silence is not None
        and key.used
        and not key.is_disabled
    ):
        counts = {_IN_A_KEY[kind]: count for kind, count in silence.counts.items() if kind in _IN_A_KEY}
        counts["unknown"] = key.check_ins.unknown
        silent = ", ".join(f"{formatting.number(count)} {text}" for text, count in counts.items() if count) or "none"
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


def patches(statuses: Sequence[ProbeStatus]) -> Truncated:
    """Return the kernels of each account with patch states."""
    counted = [(status.view.account, status.summary.patched.counts) for status in _of("patch_status", statuses)]
    return Truncated.from_rows([_patches(account, counts) for account, counts in counted if any(counts.values())])


def _patches(account: str, counts: Mapping[str, int]) -> PatchRow:
    order = list(PATCH_STATES)
    total = sum(counts.values())
    pieces, start = [], 0.0
    for state in sorted(counts, key=lambda state: order.index(state) if state in order else len(order)):
        share = 100 * counts[state] / total
        name = state if state in PATCH_STATES else order[-1]
        text = formatting.short(PATCH_STATES.get(state, state))
        pieces.append((name, text, formatting.number(counts[state]), round(start, 2), round(share, 2)))
        start += share
    return PatchRow(account, formatting.count(total, "server"), tuple(pieces))


def licenses(statuses: Sequence[ProbeStatus]) -> Truncated:
    """Return the types of IP licenses, those with the most unused ones first."""
    found = [(status.view.account, license_) for status in statuses for license_ in status.summary.licenses]
    found.sort(key=lambda pair: -pair[1].unused)
    return Truncated.from_rows(
        [
            LicenseRow(
                account=account,
                license=formatting.short(license_.license),
                used=formatting.number(license_.registered)
                + (f", {formatting.number(license_.unknown)} unknown" if license_.unknown else ""),
                unused=formatting.number(license_.unused),
                has_unused=bool(license_.unused),
                share=_percent(license_.registered, license_.registered + license_.unused),
            )
            for account, license_ in found
        ]
    )


def groups(statuses: Sequence[ProbeStatus]) -> Truncated:
    """Return the groups, the largest first."""
    found = [(status.view.account, group) for status in _of("groups", statuses) for group in _values(status)]
    found.sort(key=lambda pair: -len(pair[1].servers))
    rows = [
        GroupRow(account, formatting.short(group.group), formatting.number(len(group.servers)))
        for account, group in found
    ]
    return Truncated.from_rows(rows)


def bills(statuses: Sequence[ProbeStatus]) -> Truncated:
    """Return the billable AccelerateWP entities by account, product, and month."""
    found = [
        (status.view.account, month.month, counted)
        for status in _of("awp", statuses)
        for month in _values(status)
        for counted in month.counts
    ]
    return Truncated.from_rows(
        [
            BillRow(
                account,
                formatting.short(product_name("awp", counted.product)),
                formatting.short(counted.cdn_limit),
                month,
                formatting.number(counted.billable),
            )
            for account, month, counted in found
        ]
    )


def _of(probe: str, statuses: Sequence[ProbeStatus]) -> list[ProbeStatus]:
    return [status for status in statuses if status.view.probe == probe]


def _values(status: ProbeStatus) -> list[Any]:
    return [] if status.view.observation is None else [part.value for part in status.view.observation.parts]
