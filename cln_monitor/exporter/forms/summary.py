"""Summaries of reports: per key its counts and its oldest check-in, and the worst servers of the account."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from cln_monitor import facts, policy
from cln_monitor.checkin_groups import UNKNOWN, Row, Rule, group_servers, over
from cln_monitor.exporter.metrics.exposition import Exposition
from cln_monitor.probes import (
    BY_PRODUCT,
    ElsProduct,
    Observation,
    Part,
    ProbeReport,
    count_checkins,
    shared_registrations,
)
from cln_monitor.registrations import find_superseded

from .query import SUMMARY, Limits

_LARGEST_UNZIPPED = 8 << 10  # bytes
_MARGIN = 0.001  # seconds around a change in which a summary is not reused, because sums of times are rounded


class Encoded(NamedTuple):
    """The JSON of a report, and if it is sent often, the same without its last byte in compressed form."""

    text: bytes
    compressed: Exposition | None = None


class Summary(NamedTuple):
    """The JSON of a summary, which is the same at all Unix times between ``valid_from`` and ``valid_until``."""

    body: Encoded
    valid_from: float
    valid_until: float


def summarize(report: ProbeReport, limits: Limits, at: float) -> Summary:
    """Return the summary of ``report`` at the Unix time ``at``: without servers, or unchanged for other probes.

    The servers are grouped as a check with the same thresholds does it.
    """
    observation = report.observation
    if observation is None or report.probe not in _SUMMARIZED:
        return Summary(_encoded(msgspec.json.encode(report)), -math.inf, math.inf)
    if report.probe == "cloudlinux":  # CLN reports no check-ins of its servers
        counts = _with_values(report, observation, _cloudlinux_value)
        return Summary(_encoded(msgspec.json.encode(counts)), -math.inf, math.inf)
    stale_after = report.stale_after or 0.0
    warning, critical = _thresholds(limits, stale_after)
    rule = Rule(stale_after, _over(warning), _over(critical), limits == Limits())
    superseded = _superseded(observation, report.host_names, at, stale_after)
    groups = group_servers(_rows(observation, report.host_names), rule, at, superseded)
    values = {
        "at": at,
        "by_policy": rule.by_policy,
        "warning": warning,
        "critical": critical,
        **groups.to_json(),
    }
    value_of = _els_value if report.probe == "els" else _key_value
    envelope = msgspec.json.encode(_with_values(report, observation, lambda part: value_of(part, stale_after)))
    body = envelope[:-1] + b',"%s":' % SUMMARY.encode() + msgspec.json.encode(values) + b"}"
    return Summary(_encoded(body), *_window(observation, rule, (warning, critical), at))


def _encoded(text: bytes) -> Encoded:
    # Sending less saves the exporter as much CPU as unpacking costs a plugin.
    return Encoded(text, Exposition.compress(text[:-1]) if len(text) > _LARGEST_UNZIPPED else None)


_SUMMARIZED = ("kernelcare", "imunify", *BY_PRODUCT)


def _thresholds(limits: Limits, stale_after: float) -> tuple[float | None, float | None]:
    """Return the ages for WARNING and CRITICAL as the checks do: by default ``stale_after``, unless that is looser."""
    default = float(int(stale_after))
    warning, critical = limits
    if warning is None and (critical is None or default <= critical):
        return default, critical
    return warning, critical


def _over(seconds: float | None) -> Callable[[int], bool] | None:
    return None if seconds is None else over(seconds)


def _rows(observation: Observation[Any], host_names: Mapping[str, str]) -> Iterator[Row]:
    for part in observation.parts:
        is_untold = any(caution.fact == facts.CHECKIN_NOT_TOLD for caution in part.cautions)
        for key, servers in _servers_by_key(part):
            is_disabled = getattr(key, "enabled", None) is False
            for server in servers:
                address = server.ip or server.server_id
                host = host_names.get(server.server_id) or getattr(server, "hostname", "")
                last = UNKNOWN if server.last_checkin is UNSET else server.last_checkin
                name = f"{host} {address}" if host and host != address else address
                created = getattr(server, "created", None)
                yield Row(key.key, server.server_id, name, last, created, is_disabled, is_untold)


def _servers_by_key(part: Part[Any]) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Yield each key of ``part`` with its servers; servers of an ELS key that CLN does not list are left out."""
    if not isinstance(part.value, ElsProduct):
        yield part.value, part.value.servers
        return
    by_key: defaultdict[str, list[Any]] = defaultdict(list)
    for server in part.value.servers:
        by_key[server.key].append(server)
    yield from ((key, by_key[key.key]) for key in part.value.keys)


def _superseded(
    observation: Observation[Any], host_names: Mapping[str, str], at: float, stale_after: float
) -> Collection[tuple[str, str]]:
    """Return key and server id of each superseded server; CLN reports no registration date of Imunify servers."""
    if observation.probe != "kernelcare":
        return ()
    shared = shared_registrations((part.value for part in observation.parts), host_names)
    return {(old.key, old.server_id) for old in find_superseded(shared, at, stale_after)}


def _with_values(
    report: ProbeReport, observation: Observation[Any], value_of: Callable[[Part[Any]], Any]
) -> ProbeReport:
    """Return ``report`` with other values of the parts of its ``observation``, and without host names."""
    parts = tuple(replace(part, value=value_of(part)) for part in observation.parts)
    return replace(report, observation=replace(observation, parts=parts), host_names={})


def _key_value(part: Part[Any], stale_after: float) -> dict[str, Any]:
    """Return a key without its servers: their number by check-in, and the oldest check-in in Unix seconds."""
    return _without_servers(part.value, part.value.servers, part.observed_at, stale_after)


def _cloudlinux_value(part: Part[Any]) -> dict[str, Any]:
    """Return a CloudLinux OS product without its servers; each key has their number."""
    used = Counter(server.key for server in part.value.servers)
    keys = [{**_fields(key), "used": used[key.key]} for key in part.value.keys]
    return {**_fields(part.value, without="servers"), "keys": keys}


def _els_value(part: Part[Any], stale_after: float) -> dict[str, Any]:
    """Return an ELS product without its servers, and its keys as :func:`_key_value` does."""
    keys = [_without_servers(key, servers, part.observed_at, stale_after) for key, servers in _servers_by_key(part)]
    return {**_fields(part.value, without="servers"), "keys": keys}


def _without_servers(key: Any, servers: Sequence[Any], at: float, stale_after: float) -> dict[str, Any]:
    oldest = min((server.last_checkin for server in servers if server.last_checkin), default=None)
    counts = count_checkins(servers, at, stale_after)
    return {**_fields(key, without="servers"), "checkins": counts, "oldest": oldest}


def _fields(struct: msgspec.Struct, without: str = "") -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__ if name != without}


def _window(
    observation: Observation[Any], rule: Rule, thresholds: Sequence[float | None], at: float
) -> tuple[float, float]:
    """Return the Unix times around ``at`` between which no server changes its group."""
    servers = [server for part in observation.parts for server in part.value.servers]
    checkins = sorted(server.last_checkin for server in servers if server.last_checkin)
    registrations = sorted(
        created for server in servers if server.last_checkin is None and (created := getattr(server, "created", None))
    )
    reached = [age for age in thresholds if age is not None]
    ages = [(checkins, rule.stale_after), *((checkins, _whole(age)) for age in reached)]
    if rule.by_policy:
        gone_after = policy.gone_after(rule.stale_after)
        ages += [(checkins, rule.stale_after + policy.NEWLY_SILENT), (checkins, _whole(gone_after))]
        ages += [(registrations, _whole(policy.NEVER_AFTER))]
    else:
        ages += [(registrations, _whole(age)) for age in reached]
    past, future = -math.inf, math.inf
    for times, age in ages:
        place = bisect_right(times, at - age)
        if place:
            past = max(past, times[place - 1] + age)
        if place < len(times):
            future = min(future, times[place] + age)
    valid_from, valid_until = past + _MARGIN, future - _MARGIN
    # A summary made at the moment of a change may be valid at that moment alone.
    return (valid_from, valid_until) if valid_from < at < valid_until else (math.inf, -math.inf)


def _whole(age: float) -> int:
    """Return the first whole number of seconds over ``age``: ages are compared in whole seconds."""
    return int(age) + 1
