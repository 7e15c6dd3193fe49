"""What is wrong with the check-ins of an account and product: a row for each kind, with its servers by name."""

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


def of_check_ins(status: ProbeStatus, now: float) -> Iterator[Problem]:
    """Yield the problems of the check-ins that ``status`` saw."""
    found = status.silence(now)
    if not found.all:
        return
    product, account = f"{PRODUCTS.get(status.view.probe)} server", status.view.account
    named = status.named_servers(now)
    mentioned = {server.key for servers in named.values() for server in servers}
    keys = {key.key: key.name for key in status.digest.keys if key.key in mentioned}
    silent = sorted((*named[Kind.SILENT], *named[Kind.GONE]), key=lambda server: server.since)

    def problem(row: Row, text: str, alert: str, servers: Sequence[SilentServer], count: int) -> Iterator[Problem]:
        names = [_name(each, status.host_of(each), keys, now) for each in servers[:MOST_SERVERS]]
        details = Details.of(names, count, status.json_path)
        return problem_of(row, "check-ins", text, alert, since=_longest(servers, now), details=details)

    for key, stands in found.whole_keys:
        seen = stands.checked_in
        text = f"No server of key {key.name} of {account} checks in anymore: {formatting.number(seen)} servers"
        of_key = [each for each in silent if each.key == key.key]
        yield from problem(policy.KEY_SILENT, text, "ClnKeyAllServersStale", of_key, seen)
    if policy.are_many(found.newly, found.number):
        recent = status.stale_after + policy.NEWLY_SILENT
        newly = [each for each in silent if (each.last_checkin or 0.0) >= now - recent]
        total = formatting.count(found.number, product)
        text = f"{formatting.number(found.newly)} of {total} of {account} fell silent in the last {format_age(recent)}"
        yield from problem(policy.MANY_SILENT, text, "ClnManyServersStale", newly, found.newly)
    over = format_age(status.stale_after)
    gone = format_age(policy.gone_after(status.stale_after))
    words = (
        (SERVER_SILENT, Kind.SILENT, found.silent, _HAS, f"not checked in for over {over}", _STALE),
        (NEVER_CHECKED_IN, Kind.NEVER, found.never, _HAS, "never checked in", _NEVER),
        # Whether these are late cannot be known.
        (NEVER_CHECKED_IN_UNDATED, Kind.UNDATED, found.undated, _HAS, "not checked in yet", _NEVER),
        (SERVER_GONE, Kind.GONE, found.gone, _IS, f"silent for over {gone} and still billed", _GONE),
        (SERVER_SUPERSEDED, Kind.SUPERSEDED, found.superseded, _IS, "superseded by a newer registration", _GONE),
        (KEY_DISABLED, Kind.DISABLED, found.disabled, _IS, "silent on disabled keys", ""),
    )
    for row, kind, count, (one, many), rest, alert in words:
        if count:
            text = f"{formatting.count(count, product)} of {account} {one if count == 1 else many} {rest}"
            yield from problem(row, text, alert, named[kind], count)


def _longest(servers: Sequence[SilentServer], now: float) -> str:
    """Return for how long the longest silent of ``servers`` is silent, as far as that is known."""
    since = min((each.since for each in servers), default=math.inf)
    if since == math.inf:
        return ""
    silence = format_age(max(0.0, now - since))
    return f"for {silence}" if len(servers) == 1 else f"the longest for {silence}"


def _name(server: SilentServer, host: str, keys: Mapping[str, str], now: float) -> str:
    """Return a server in a line: its host, its address, its id where neither is known, its key, and how long."""
    host, ip = formatting.short(host), formatting.short(server.ip)
    name = f"{host} ({ip})" if host else ip or formatting.short(server.server_id) or "no address"
    words = [name, f"key {keys[server.key]}" if server.key in keys else formatting.short(server.key)]
    if server.since < math.inf:
        silence = format_age(max(0.0, now - server.since))
        words.append(f"registered {silence} ago" if server.last_checkin is None else f"silent for {silence}")
    return ", ".join(words)
