"""Views for the evaluation functions of checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.helpers.clock import NOW

DAY, HOUR = 86400.0, 3600.0

KEY_LABEL, OTHER_LABEL = "WsTs-8c7994d7", "Zq7T-2a8ef7d1"


def part(name: str, value: object, age: float = 0, cautions: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Return a part that was read ``age`` seconds ago."""
    return {"name": name, "observed_at": NOW - age, "value": value, "cautions": list(cautions)}


def caution(fact: str, *names: str) -> dict[str, Any]:
    """Return a caution of a part."""
    return {"fact": fact, "names": list(names), "count": len(names)}


def missing(name: str, reason: str = "bad_answer", text: str = "reading it: nonsense") -> dict[str, Any]:
    """Return a part that could not be read."""
    return {"name": name, "failure": {"reason": reason, "text": text}}


def view(
    parts: Iterable[dict[str, Any]], lacks: Iterable[dict[str, Any]] = (), *, list_known: bool = True, age: float = 0
) -> dict[str, Any]:
    """Return a view of ``parts`` without those in ``lacks``, polled ``age`` seconds ago."""
    lacking = list(lacks)
    observation = {"parts": list(parts), "missing": lacking, "list_known": list_known}
    return {
        "probe": "kernelcare",
        "api": "cln.example.net",
        "account": "acme",
        "interval": 900.0,
        "max_age": 3600.0,
        "stale_after": DAY,
        "last_run": NOW - age,
        "ages": {"last_run": age, "last_success": None if lacking else age, "oldest_part": _oldest(observation)},
        "failure": lacking[0]["failure"] if lacking else None,
        "missing": [_gap(each, observation) for each in lacking],
        "observation": observation,
    }


def _gap(lack: Mapping[str, Any], observation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a missing part as in a view."""
    name, seen = lack["name"], [part["name"] for part in observation["parts"]]
    is_kept = name in seen or (not name and bool(seen) and not observation["list_known"])
    return {"name": name, **lack["failure"], "is_kept": is_kept}


def _oldest(observation: Mapping[str, Any]) -> float | None:
    return max((NOW - part["observed_at"] for part in observation["parts"]), default=None)


def server(name: str, age: float | None, created: float | None = 90 * DAY) -> dict[str, Any]:
    """Return a server that checked in ``age`` seconds ago and was registered ``created`` seconds ago."""
    return {
        "server_id": f"id-of-{name}",
        "ip": name,
        "created": None if created is None else NOW - created,
        "last_checkin": None if age is None else NOW - age,
    }


def key(
    label: str,
    servers: Iterable[dict[str, Any]],
    limit: int | str | None = 0,
    cautions: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return the part of a license key."""
    return part(
        label, {"key": label, "note": "", "enabled": True, "limit": limit, "servers": list(servers)}, cautions=cautions
    )
