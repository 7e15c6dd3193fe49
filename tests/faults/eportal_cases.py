"""The tables of faults of an ePortal and of the patch server, with their expected effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.checks.running import PLANTED

from .eportal import API_KEY, INFO, PATCHES, SERVERS
from .world import TIMEOUT, World

_DESCRIPTION = "kpatch-cve: CVE-2026-11111\n"


@dataclass(frozen=True)
class EportalCase:
    """A fault: ``title`` describes it after "the ePortal" or "the patch server", ``inject`` injects it.

    ``reason`` is why the probe fails, "" if it succeeds. ``says`` is a pattern of the message. ``unknown`` is whether a
    CVE is then unknown on a server whose patch was not read before, and ``is_kept`` whether it stays so for an hour.
    ``least`` is the minimum duration of a run of the probe, in seconds.
    """

    title: str
    inject: Callable[[World], object]
    reason: str = ""
    says: str = ""
    unknown: bool = False
    is_kept: bool = False
    least: float = 0.0

    @property
    def alert(self) -> str:
        """The alert about a fault that lasts for a day, "" for none."""
        if not self.reason:
            return "ClnCveNotFixed" if self.unknown else ""
        return _ALERTS.get(self.reason, "ClnProbeFailing")


_ALERTS = {"auth": "ClnAuthFailed", "rate_limited": "ClnRateLimited"}


def _refuse(name: str) -> Callable[[World], object]:
    return lambda world: world.eportal.refuse(name)


def _servers(kind: str, **fields: Any) -> Callable[[World], object]:
    return lambda world: world.eportal.inject(kind, SERVERS, **fields)


def _page(match: str = "offset=", **fields: Any) -> Callable[[World], object]:
    """Return a page of all servers, with other values of ``fields``, for each request that has ``match``."""
    return lambda world: world.eportal.inject("answer", SERVERS, match=match, body=world.eportal.page(**fields))


def _patches(kind: str, path: str = PATCHES, **fields: Any) -> Callable[[World], object]:
    return lambda world: world.eportal.inject(kind, path, **fields)


def _info(change: Callable[[str], str]) -> Callable[[World], object]:
    """Return a changed description for each patch."""
    return lambda world: world.eportal.inject("answer", INFO, body=change(world.eportal.info))


def _elsewhere(path: str) -> Callable[[World], object]:
    return lambda world: world.eportal.inject("redirect", path, location=f"{world.elsewhere.url}/admin/api/servers")


def _expire(world: World) -> None:
    world.eportal.simulator.eportal.api_key_ends = world.eportal.simulator.now()


def _name_alike(world: World) -> None:
    for server in world.eportal.simulator.eportal.servers.values():
        server.hostname = "app.example.net"


def _report_no_level(world: World) -> None:
    world.eportal.first.reports_level = False


_ECHO = json.dumps({"error": " ".join([*PLANTED, API_KEY])})
_UNEXPECTED = "unexpected response from the ePortal"
NOT_READ = "could not be read from the patch server"
"""What plugins, the page and the log say about any fault of the patch server."""

EPORTAL_CASES: Mapping[str, EportalCase] = {
    "refused": EportalCase("refuses connections", _refuse("eportal"), "unreachable", "connection refused"),
    "reset": EportalCase("resets connections", _servers("reset"), "unreachable", "connection closed"),
    "drip": EportalCase(
        *("sends its headers, then one byte per second", _servers("drip"), "timeout", "while reading the response"),
        least=TIMEOUT,
    ),
    "slow": EportalCase("responds 100 times slower, 0.2 s per call", _servers("latency", seconds=0.2), least=0.4),
    "html": EportalCase("sends HTML with 200", _servers("html"), "bad_answer", f"{_UNEXPECTED}: an HTML page"),
    "cut": EportalCase(
        "sends half of the JSON with a matching length", _servers("cut"), "bad_answer", "truncated or malformed JSON"
    ),
    "cut-body": EportalCase(
        "cuts the body", _servers("cut_body"), "bad_answer", "incomplete response from the ePortal"
    ),
    "huge": EportalCase(
        "sends 500 MB", _servers("huge", size=500_000_000), "bad_answer", rf"{_UNEXPECTED}: larger than \d+ MB"
    ),
    "500": EportalCase(
        "answers 500", _servers("status", status=500, html=True), "bad_answer", r"an HTML page \(HTTP 500\)"
    ),
    "401": EportalCase(
        "no longer accepts the API key", _expire, "auth", r"the API key: it is wrong or has expired \(HTTP 401\)"
    ),
    "403": EportalCase("answers 403", _servers("status", status=403), "auth", "may not read this at the ePortal"),
    "429": EportalCase("answers 429", _servers("status", status=429), "rate_limited", "by the ePortal: HTTP 429"),
    "redirect": EportalCase("redirects to another host", _elsewhere(SERVERS), "bad_answer", "not followed"),
    "echo": EportalCase(
        *("refuses, and echoes all secrets", _servers("answer", status=400, body=_ECHO), "refused"),
        "the ePortal refused the request: HTTP 400: <login> <secret> <secret> ",
    ),
    "count": EportalCase(
        *("counts more servers than its pages have", _page("offset=0", count=9), "bad_answer"),
        "the count changed from 9 to 3 between two pages",
    ),
    "only-count": EportalCase(
        *("counts servers that it does not list", _servers("answer", match="only_count", body='{"count":7}')),
        *("bad_answer", "0 servers out of date are listed, and 7 are counted"),
    ),
    "repeated-page": EportalCase(
        "repeats a page", _page(count=6), "bad_answer", "the page from row 3 on repeats a server"
    ),
    "no-servers": EportalCase(
        *("lists no servers", _servers("answer", body='{"count":0,"result":[]}'), "bad_answer"),
        "the servers fell from 3 to none; waiting for a second poll|no server is registered",
    ),
    "same-name": EportalCase("lists three servers of one name", _name_alike),
    "no-level": EportalCase("does not report the patch level of a server", _report_no_level, unknown=True),
}
"""The faults of the ePortal."""

PATCH_CASES: Mapping[str, EportalCase] = {
    "refused": EportalCase(
        "refuses connections", _refuse("patches"), says=f"{NOT_READ}.*connection refused", unknown=True
    ),
    "hang": EportalCase(
        *("accepts connections and never responds", _patches("hang")),
        says=f"{NOT_READ}.*while waiting for the response",
        unknown=True,
        least=TIMEOUT,
    ),
    "html": EportalCase("sends HTML with 200", _patches("html"), says=f"{NOT_READ}.*an HTML page", unknown=True),
    "503": EportalCase(
        "answers 503", _patches("status", status=503, html=True), says=f"{NOT_READ}.*HTTP 503", unknown=True
    ),
    "429": EportalCase(
        "answers 429", _patches("status", status=429), says=f"{NOT_READ}.*by the patch server: HTTP 429", unknown=True
    ),
    "redirect": EportalCase(
        "redirects to another host", _elsewhere(PATCHES), says=f"{NOT_READ}.*not followed", unknown=True
    ),
    "huge": EportalCase(
        "sends 500 MB", _patches("huge", size=500_000_000), says=f"{NOT_READ}.*larger than 64 KB", unknown=True
    ),
    "too-large": EportalCase(
        "describes a patch in 64 KB and one byte",
        _info(lambda text: text.ljust((64 << 10) + 1, "\n")),
        says=f"{NOT_READ}.*larger than 64 KB",
        unknown=True,
    ),
    "no-cves": EportalCase(
        "describes a patch without `kpatch-cve`",
        _info(lambda text: text.replace("kpatch-cve:", "kpatch-fix:")),
        says=f"{NOT_READ}.*no kpatch-cve",
        unknown=True,
    ),
    "cut": EportalCase(
        "cuts the description within a CVE",
        _info(lambda text: text[: text.index("kpatch-cve:") + len(_DESCRIPTION) - 3]),
        says=f"{NOT_READ}.*ends within kpatch-cve",
        unknown=True,
    ),
    "404": EportalCase("does not know a patch", _patches("status", INFO, status=404), unknown=True, is_kept=True),
    "spelling": EportalCase(
        "names several CVEs in one line, in small letters",
        _info(lambda text: text.replace("CVE-2026-11111", "cve-2026-99999,cve-2026-11111")),
    ),
}
"""The faults of the patch server."""
