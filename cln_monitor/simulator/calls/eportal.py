"""The calls that read an ePortal: `/servers`, `/feeds/`, `/keys/`, `/patchsets/` (ePortal API documentation).

They have no envelope. It is not documented what a refusal looks like, the highest `limit`, nor whether `only_count`
drops the rows: here a refusal is an object with an `error`, and `only_count` drops the rows.
"""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from time import gmtime, strftime

from cln_monitor.simulator import answers
from cln_monitor.simulator.answers import SimulatedAnswer
from cln_monitor.simulator.model import DAY, HOUR, SimulatedEportal, SimulatedEportalServer

ROOT = "/admin/api"
_AGE = re.compile(r"(-?)([0-9]{1,6})(h?)")
_DEFAULT_LIMIT = 10


class _RefusedError(Exception):
    """The ePortal refuses an argument."""


def answer(
    eportal: SimulatedEportal,
    method: str,
    path: str,
    *,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    now: float,
) -> SimulatedAnswer:
    """Return the response to a request for `path` below `ROOT`; the names of `headers` are lowercase."""
    handler = _CALLS.get(path)
    if handler is None:
        return answers.page(404)
    if not _is_authorized(eportal, headers, now):
        return answers.bare({"error": "unauthorized"}, 401)
    if method != "GET":
        return answers.page(405, "This simulator only reads.", {"Allow": "GET"})
    try:
        return answers.bare(handler(eportal, query, now))
    except _RefusedError as refused:
        return answers.bare({"error": str(refused)}, 400)


def _is_authorized(eportal: SimulatedEportal, headers: Mapping[str, str], now: float) -> bool:
    if (key := headers.get("x-api-key")) is not None:
        return key == eportal.api_key and (eportal.api_key_ends is None or now < eportal.api_key_ends)
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    try:
        login = b64decode(encoded, validate=True).decode()
    except (Error, UnicodeDecodeError):
        return False
    return scheme.lower() == "basic" and login == f"{eportal.username}:{eportal.password}"


def _list_servers(eportal: SimulatedEportal, query: Mapping[str, str], now: float) -> object:
    """Answer `GET /servers`."""
    fits = [(_FILTERS[name], value) for name, value in query.items() if name in _FILTERS and value]
    found = [
        server for server in eportal.servers.values() if all(fit(eportal, server, value, now) for fit, value in fits)
    ]
    if _flag(query.get("only_count", "false")):
        return {"count": len(found)}
    limit = min(_whole(query, "limit", _DEFAULT_LIMIT), eportal.most_rows)
    offset = _whole(query, "offset", 0)
    rows = [_row(server, now) for server in found[offset : offset + limit]]
    return {"count": len(found), "limit": limit, "offset": offset, "result": rows}


def _row(server: SimulatedEportalServer, now: float) -> dict[str, object]:
    """Return the row of a server; dates are in UTC without a zone."""
    kernel = server.kernel
    updated, level = server.loaded(now)
    patch = kernel.patch(level)
    return {
        "id": server.server_id,
        "ip": server.ip,
        "hostname": server.hostname,
        "key": server.key,
        "feed": server.feed,
        "registered": _date(server.registered),
        "checkin": _date(server.last_checkin(now)),
        "updated": _date(updated),
        "euname": patch.effective_kernel if patch else kernel.release,
        "release": kernel.release,
        "kernel_id": kernel.kernel_id,
        "patch_level": level if server.reports_level else None,
        "patch_type": "default",
        "tags": server.tags,
        "uptime": int(now - server.registered),
        "version": "#1 SMP",
        "virt": "kvm",
        "kcare_version": "3.4-1",
        "distro": kernel.distro,
        "distro_version": kernel.distro_version,
        "machine": "x86_64",
        "processor": "x86_64",
    }


def _list_feeds(eportal: SimulatedEportal, _query: Mapping[str, str], _now: float) -> object:
    """Answer `GET /feeds/`."""
    return {
        "result": [
            {"name": feed.name, "auto": feed.auto, "deploy_after": feed.deploy_after} for feed in eportal.feeds.values()
        ]
    }


def _list_keys(eportal: SimulatedEportal, _query: Mapping[str, str], _now: float) -> object:
    """Answer `GET /keys/`."""
    rows = [{"key": key, "feed": feed, "note": None, "server_limit": 0} for key, feed in eportal.keys.items()]
    return {"result": rows}


def _list_patchsets(eportal: SimulatedEportal, query: Mapping[str, str], now: float) -> object:
    """Answer `GET /patchsets/` with a patchset for each patch, oldest first; those that a feed delays are disabled."""
    feed = eportal.feeds.get(query.get("feed", "main"))
    if feed is None:
        raise _RefusedError("unknown feed")
    kernels = {server.kernel.kernel_id: server.kernel for server in eportal.servers.values()}
    built = sorted((patch.built_at, kernel.system) for kernel in kernels.values() for patch in kernel.patches)
    rows = [
        {
            "patchset": strftime("K%Y%m%d_01", gmtime(at)),
            "status": "enabled" if at + feed.delay <= now else "undeployed",
            "distros": [system],
        }
        for at, system in built
        if at <= now and query.get("distro", system) == system
    ]
    return {"result": rows if query.get("product", "kernel") == "kernel" else []}


_CALLS: Mapping[str, Callable[[SimulatedEportal, Mapping[str, str], float], object]] = {
    "/servers": _list_servers,
    "/feeds/": _list_feeds,
    "/keys/": _list_keys,
    "/patchsets/": _list_patchsets,
}


def _matches(pattern: str, value: str) -> bool:
    """Return whether `value` matches a pattern with `%` for any text."""
    return fnmatchcase(value, pattern.replace("[", "[[]").replace("%", "*"))


def _is_as_old(at: float | None, age: str, now: float) -> bool:
    """Return whether a time is older than an age, days or `4h`; with a minus, whether it is at most as old."""
    parsed = _AGE.fullmatch(age)
    if parsed is None:
        raise _RefusedError(f"invalid age {age}")
    seconds = int(parsed[2]) * (HOUR if parsed[3] else DAY)
    is_older = at is None or now - at > seconds
    return not is_older if parsed[1] else is_older


_Filter = Callable[[SimulatedEportal, SimulatedEportalServer, str, float], bool]
_FILTERS: Mapping[str, _Filter] = {
    "hostname": lambda _, server, value, __: _matches(value, server.hostname),
    "ip": lambda _, server, value, __: _matches(value, server.ip),
    "service_id": lambda _, server, value, __: server.server_id == value,
    "feed": lambda _, server, value, __: server.feed == value,
    "key": lambda _, server, value, __: server.key == value,
    "tag": lambda _, server, value, __: value in (server.tags or "").split(";"),
    "registered_age": lambda _, server, value, now: _is_as_old(server.registered, value, now),
    "checkin_age": lambda _, server, value, now: _is_as_old(server.last_checkin(now), value, now),
    "updated_age": lambda _, server, value, now: _is_as_old(server.loaded(now)[0], value, now),
    "is_updated": lambda eportal, server, value, now: eportal.is_updated(server, now) == _flag(value),
}


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0"}:
        raise _RefusedError(f"invalid flag {text}")
    return text.lower() in {"true", "1"}


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _RefusedError(f"invalid {name} {text}")
    return int(text)


def _date(at: float | None) -> str | None:
    """Return a time in UTC without a zone, such as `2026-11-03 04:00:00.000000`."""
    return None if at is None else strftime("%Y-%m-%d %H:%M:%S", gmtime(at)) + f".{int(at % 1 * 1e6):06}"
