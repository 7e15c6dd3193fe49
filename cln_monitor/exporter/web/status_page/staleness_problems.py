"""The check-in problems of an account and product: one row per kind, with a list of its servers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from cln_monitor import policy
from cln_monitor.durations import format_age
from cln_monitor.policy import (
    KEY_DISABLED,
    NEVER_CHECKED_IN,
    NEVER_CHECKED_IN_UNDATED,
    SERVER_GONE,
    SERVER_SILENT,
    SERVER_SUPERSEDED,
    Row,
)

from . import formatting
from .probe_status import PRODUCTS, ProbeStatus
from .problem import Details, Problem, problem_of
from .server_pools import MOST_SERVERS, SilentServer
from .staleness import Kind

_HAS, _IS = ("has", "have"), ("is", "are")
_STALE, _NEVER, _GONE = "ClnServerStale", "ClnServersNeverCheckedIn", "ClnServersGone"


def check_in_problems(status: ProbeStatus, now: float) -> Iterator[Problem]:
    """Yield the check-in problems of ``status``."""
    found = status.silence(now)
    if not found.all:
        return
    product, account = f"{PRODUCTS.get(status.view.probe)} server", status.view.account
    named = status.named_servers(now)
    mentioned = {server.key for servers in named.values() for server in servers}
    keys = {key.key: key.name for key in status.summary.keys if key.key in mentioned}
    silent = sorted((*named[Kind.SILENT], *named[Kind.GONE]), key=lambda server: server.since)

    def problem(row: Row, text: str, alert: str, servers: Sequence[SilentServer], count: int) -> Iterator[Problem]:
        names = [_name(server, status.host_of(server), keys, now) for server in servers[:MOST_SERVERS]]
        details = Details.from_items(names, count, status.json_path)
        return problem_of(row, "check-ins", text, alert, since=_longest(servers, now), details=details)

    for key, silence in found.whole_keys:
        total = silence.checked_in
        text = f"No server of key {key.name} of {account} checks in anymore: {formatting.number(total)} servers"
        servers = [server for server in silent if server.key == key.key]
        yield from problem(policy.KEY_SILENT, text, "ClnKeyAllServersStale", servers, total)
    if policy.are_many(found.newly, found.number):
        recent = status.stale_after + policy.NEWLY_SILENT
        newly = [server for server in silent if (server.last_checkin or 0.0) >= now - recent]
        servers_ = f"{formatting.number(found.newly)} of {formatting.count(found.number, product)} of {account}"
        text = f"{servers_} stopped checking in within the last {format_age(recent)}"
        yield from problem(policy.MANY_SILENT, text, "ClnManyServersStale", newly, found.newly)
    over = format_age(status.stale_after)
    gone_after = format_age(policy.gone_after(status.stale_after))
    kinds = (
        (SERVER_SILENT, Kind.SILENT, found.silent, _HAS, f"not checked in for over {over}", _STALE),
        (NEVER_CHECKED_IN, Kind.NEVER, found.never, _HAS, "never checked in", _NEVER),
        # It is unknown whether these are late.
        (NEVER_CHECKED_IN_UNDATED, Kind.UNDATED, found.undated, _HAS, "not checked in yet", _NEVER),
        (SERVER_GONE, Kind.GONE, found.long_silent, _HAS, f"been silent for over {gone_after}, still billed", _GONE),
        (SERVER_SUPERSEDED, Kind.SUPERSEDED, found.superseded, _IS, "superseded by a newer registration", _GONE),
        (KEY_DISABLED, Kind.DISABLED, found.disabled, _IS, "silent on disabled keys", ""),
    )
    for row, kind, count, (one, many), rest, alert in kinds:
        if count:
            text = f"{formatting.count(count, product)} of {account} {one if count == 1 else many} {rest}"
            yield from problem(row, text, alert, named[kind], count)


def _longest(servers: Sequence[SilentServer], now: float) -> str:
    """Return how long the longest silent of ``servers`` has been silent, empty if unknown."""
    since = min((server.since for server in servers), default=math.inf)
    if since == math.inf:
        return ""
    silence = format_age(max(0.0, now - since))
    return f"for {silence}" if len(servers) == 1 else f"the longest for {silence}"


def _name(server: SilentServer, host: str, keys: Mapping[str, str], now: float) -> str:
    """Return a server as a line: its host, its address, its ID if both are unknown, its key, and its silence."""
    host, ip = formatting.short(host), formatting.short(server.ip)
    name = f"{host} ({ip})" if host else ip or formatting.short(server.server_id) or "no address"
    parts = [name, f"key {keys[server.key]}" if server.key in keys else formatting.short(server.key)]
    if server.since < math.inf:
        silence = format_age(max(0.0, now - server.since))
        parts.append(f"registered {silence} ago" if server.last_checkin is None else f"silent for {silence}")
    return ", ".join(parts)
