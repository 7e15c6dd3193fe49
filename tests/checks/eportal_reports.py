"""Reports of an ePortal for the evaluation functions of its checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.helpers.clock import NOW

from .views import DAY, HOUR, caution, part, view

KERNEL = "1a" * 20
CVE, OTHER = "CVE-2026-11111", "CVE-2026-22222"


def patch(level: int, *cves: str, age: float | None = 9 * DAY, unread: int = 0) -> dict[str, Any]:
    """Return a patch that was built ``age`` seconds ago."""
    return {
        "kernel_id": KERNEL,
        "level": level,
        "cves": list(cves),
        "unread": unread,
        "built_at": None if age is None else NOW - age,
        "effective_kernel": "",
    }


def server(
    name: str,
    level: int | None = 31,
    *,
    updated: bool | None = True,
    age: float | None = HOUR,
    ip: str = "10.0.4.7",
    **fields: Any,
) -> dict[str, Any]:
    """Return a server with the patch of ``level`` that checked in ``age`` seconds ago."""
    return {
        "server_id": f"id-of-{name}",
        "key": "web-00000000",
        "feed": "main",
        "ip": ip,
        "hostname": name,
        "last_checkin": None if age is None else NOW - age,
        "patched_at": None,
        "effective_kernel": "4.18.0-553.90.1.el8",
        "running_kernel": "",
        "kernel_id": KERNEL,
        "patch_level": level,
        "kcare_version": "",
        "distro": "",
        "is_updated": updated,
        **fields,
    }


PATCHES = (patch(31, CVE, OTHER, age=2 * DAY), patch(30, OTHER))


def report(
    *servers: dict[str, Any],
    patches: Iterable[dict[str, Any]] = PATCHES,
    cves: Iterable[str] = (),
    facts: Iterable[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return the report of an ePortal with ``servers``."""
    fleet = {"servers": list(servers), "patches": list(patches), "newest": {KERNEL: 31}, "cves": list(cves)}
    cautions = [caution(fact, name) for fact, name in facts]
    return view([part("servers", fleet, cautions=cautions)]) | {
        "probe": "eportal",
        "account": "dc1",
        "stale_after": 2 * DAY,
    }
