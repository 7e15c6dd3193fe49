"""The section of ePortals: how many servers have their newest live patch, and the servers that need attention."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cln_monitor.durations import format_age
from cln_monitor.patches import CVE_STATES, LivePatch, patch_age, patch_rank, state_of_cve
from cln_monitor.probes import EportalFleet, EportalServerState

from . import formatting
from .formatting import MAX_ROWS, Truncated
from .probe_status import ProbeStatus

_UPDATES = {True: ("uptodate", "up to date"), False: ("outofdate", "behind"), None: ("inactive", "not judged")}
"""The color and the display text of each value of `is_updated`."""
_IN_WORDS = {"fixed": "fixed", "not_fixed": "not fixed", "unknown": "unknown"}
_MAX_CVES = 3  # named per server


@dataclass(frozen=True, slots=True)
class CveRow:
    """A CVE of the configuration: its number of servers by state as ``text``, and its ``state`` on the page."""

    cve: str
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class EportalRow:
    """An ePortal: class, text, count, start and width of the bar in percent for each state, and its CVEs."""

    account: str
    total: str
    pieces: tuple[tuple[str, str, str, float, float], ...]
    cves: Truncated


@dataclass(frozen=True, slots=True)
class EportalServerRow:
    """A server that is behind, silent, or without the fix of a CVE; ``why`` says which."""

    account: str
    host: str
    ip: str
    key: str
    feed: str
    patch: str
    kernel: str
    built: str
    why: str


def eportals(statuses: Sequence[ProbeStatus]) -> Truncated:
    """Return the ePortals that have been read."""
    return Truncated.from_rows([_eportal(status.view.account, fleet) for status, fleet in _fleets(statuses)])


def count_behind(statuses: Sequence[ProbeStatus]) -> tuple[int, int]:
    """Return the numbers of servers of ePortals that are behind, and of all of them."""
    updates = [server.is_updated for _, fleet in _fleets(statuses) for server in fleet.servers]
    return updates.count(False), len(updates)


def eportal_servers(statuses: Sequence[ProbeStatus], now: float) -> Truncated:
    """Return the servers that need attention, those without a patch first, then by age, unknown ages last."""
    found = [
        (status, server, patch, why)
        for status, fleet in _fleets(statuses)
        for server, patch, why in _with_reasons(fleet, now - status.stale_after)
    ]
    first = heapq.nsmallest(MAX_ROWS, found, key=lambda row: patch_rank(row[1].patch_level, _age(row[2], now)))
    rows = [_server(status.view.account, server, patch, why, now) for status, server, patch, why in first]
    return Truncated(rows, len(found) - len(rows))


def _fleets(statuses: Sequence[ProbeStatus]) -> Iterator[tuple[ProbeStatus, EportalFleet]]:
    for status in statuses:
        observation = status.view.observation
        if status.view.probe == "eportal" and observation is not None:
            for part in observation.parts:
                yield status, part.value


def _eportal(account: str, fleet: EportalFleet) -> EportalRow:
    updates, total = Counter(server.is_updated for server in fleet.servers), len(fleet.servers)
    pieces, start = [], 0.0
    for value, (name, text) in _UPDATES.items():
        if updates[value]:
            share = 100 * updates[value] / total
            pieces.append((name, text, formatting.number(updates[value]), round(start, 2), round(share, 2)))
            start += share
    cves = Truncated.from_rows([_cve(cve, fleet) for cve in fleet.cves])
    return EportalRow(account, formatting.count(total, "server"), tuple(pieces), cves)


def _cve(cve: str, fleet: EportalFleet) -> CveRow:
    patches = fleet.patches_by_level()
    states = Counter(state_of_cve(cve, server.patch_level, _patch(server, patches)) for server in fleet.servers)
    text = ", ".join(
        f"{_IN_WORDS[state]} on {formatting.number(states[state])}" for state in CVE_STATES if states[state]
    )
    is_bad = states["not_fixed"] or states["unknown"]
    return CveRow(cve, text or "no servers", "warning" if is_bad else "ok")


def _with_reasons(
    fleet: EportalFleet, silent_before: float
) -> Iterator[tuple[EportalServerState, LivePatch | None, list[str]]]:
    """Yield the servers that need attention with their patch and the reasons."""
    patches = fleet.patches_by_level()
    for server in fleet.servers:
        patch = _patch(server, patches)
        states = [(cve, state_of_cve(cve, server.patch_level, patch)) for cve in fleet.cves]
        why = ["behind"] if server.is_updated is False else []
        if server.last_checkin and server.last_checkin < silent_before:
            why.append("silent")
        for state in ("not_fixed", "unknown"):
            cves = [cve for cve, found in states if found == state]
            why += [f"{formatting.first(cves, _MAX_CVES)} {_IN_WORDS[state]}"] if cves else []
        if why:
            yield server, patch, why


def _server(
    account: str, server: EportalServerState, patch: LivePatch | None, why: Sequence[str], now: float
) -> EportalServerRow:
    level = server.patch_level
    heard = server.last_checkin
    age = _age(patch, now)
    silent = f"silent for {format_age(max(0.0, now - heard))}" if heard else ""
    return EportalServerRow(
        account=account,
        host=formatting.short(server.hostname),
        ip=formatting.short(server.ip) or "no address",
        key=formatting.short(server.key),
        feed=formatting.short(server.feed),
        patch="unknown" if level is None else str(level) if level else "none",
        kernel=formatting.short(server.effective_kernel),
        built="" if age is None else format_age(age),
        why="; ".join(silent if reason == "silent" else reason for reason in why),
    )


def _age(patch: LivePatch | None, now: float) -> float | None:
    return None if patch is None else patch_age(patch.built_at, now)


def _patch(server: EportalServerState, patches: dict[tuple[str, int], LivePatch]) -> LivePatch | None:
    return None if server.patch_level is None else patches.get((server.kernel_id, server.patch_level))
