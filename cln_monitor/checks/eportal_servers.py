"""The servers in a report of an ePortal, each with the live patch that it has loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cln_monitor.checkin_groups import MOST_NAMED, UNKNOWN
from cln_monitor.cve_coverage import patch_age, patch_rank
from cln_monitor.durations import format_age

from .checkin_rules import with_host_name


class LoadedPatch(NamedTuple):
    """What a patch fixes, as in `cln_monitor.patches.LivePatch`; ``built_at`` is in Unix seconds, None if unknown."""

    cves: frozenset[str]
    unread: int
    built_at: float | None


class EportalServer(NamedTuple):
    """A server. ``name`` is its host name, if known, and its address.

    ``level`` is that of its patch: 0 for none, None if unknown. ``patch`` is None if the patch server has not described
    it. ``last_checkin`` is a Unix time, None for never, or ``unknown``. ``is_updated`` is None if the ePortal does not
    say whether it has the newest patch. ``kernel_id`` is empty if unknown.
    """

    server_id: str
    key: str
    name: str
    level: int | None
    patch: LoadedPatch | None
    effective_kernel: str
    last_checkin: float | str | None
    is_updated: bool | None
    kernel_id: str

    def patch_age(self, now: float) -> float | None:
        """Return the seconds since its patch was built, None if unknown."""
        return None if self.patch is None else patch_age(self.patch.built_at, now)

    def described(self, now: float) -> str:
        """Return its name and its patch: ``app1 192.0.2.1 (patch 30, built 9d ago)``."""
        if self.level == 0:
            return f"{self.name} (no patch)"
        if self.level is None:
            return f"{self.name} (unknown patch)"
        age = self.patch_age(now)
        built = "" if age is None else f", built {format_age(age)} ago"
        return f"{self.name} (patch {self.level}{built})"

    def line(self, now: float) -> str:
        """Return a line of long output about it."""
        return self.described(now) + (f", kernel {self.effective_kernel}" if self.effective_kernel else "")


def servers_in(fleet: Mapping[str, Any]) -> list[EportalServer]:
    """Return the servers of ``fleet``, the value of the part of a report (`cln_monitor.probes.EportalFleet`)."""
    patches = {
        (patch["kernel_id"], patch["level"]): LoadedPatch(frozenset(patch["cves"]), patch["unread"], patch["built_at"])
        for patch in fleet["patches"]
    }
    return [
        EportalServer(
            row["server_id"],
            row["key"],
            with_host_name(row["ip"] or row["server_id"], row["hostname"]),
            row["patch_level"],
            patches.get((row["kernel_id"], row["patch_level"])),
            row["effective_kernel"],
            row.get("last_checkin", UNKNOWN),
            row["is_updated"],
            row["kernel_id"],
        )
        for row in fleet["servers"]
    ]


def oldest_first(servers: Iterable[EportalServer], now: float) -> list[EportalServer]:
    """Return ``servers`` by the age of their patch: those without one first, those whose patch is unknown last."""
    return sorted(servers, key=lambda server: patch_rank(server.level, server.patch_age(now)))


def lines_about(label: str, servers: Sequence[EportalServer], now: float) -> list[str]:
    """Return a line for each of the first hundred of ``servers``, and one with the number of the others."""
    lines = [f"{label}: {server.line(now)}" for server in servers[:MOST_NAMED]]
    more = len(servers) - len(lines)
    return [*lines, f"{label}: … and {more} more servers"] if more else lines
