"""Reports with only some servers: those of keys, addresses, or server ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from cln_monitor.masking import same_key
from cln_monitor.probes import BY_PRODUCT, LICENSE_LIST, Observation, Part, ProbeReport
from cln_monitor.registrations import machine_address

from .query import FormQuery
from .server_index import ServerIndex, packed


def select(report: ProbeReport, query: FormQuery, index: ServerIndex | None) -> ProbeReport:
    """Return ``report`` with the servers that match all filters of ``query``, any value of each.

    Parts with cautions stay, without other servers. ``index`` is needed for the probes in `INDEXED`.
    """
    observation = report.observation
    if observation is None:
        return report
    parts = _SELECTORS[report.probe](observation, query) if index is None else _of_keys(observation, query, index)
    named = {server.server_id for part in parts for server in getattr(part.value, "servers", ())}
    named |= {license_.ip for part in parts for license_ in getattr(part.value, "licenses", ())}
    names = {name: report.host_names[name] for name in named & report.host_names.keys()}
    return replace(report, observation=replace(observation, parts=tuple(parts)), host_names=names)


INDEXED = ("kernelcare", "imunify")
"""The probes whose servers are found by a ServerIndex."""


def _of_keys(observation: Observation[Any], query: FormQuery, index: ServerIndex) -> list[Part[Any]]:
    """Return the parts with the selected servers, and with those at the same addresses.

    A registration is superseded by another one at its address, which may belong to another key.
    """
    of_keys = index.parts_of_keys(query.keys) if query.keys else None
    if query.ips or query.server_ids:
        places = None
        for values, find in ((query.ips, index.at_address), (query.server_ids, index.with_id)):
            if values:
                found = {place for value in values for place in find(value)}
                places = found if places is None else places & found
        selected = {place for place in places or () if of_keys is None or place[0] in of_keys}
    else:
        selected = {(part, server) for part in of_keys or () for server in range(len(index.lists[part]))}
    if observation.probe == "kernelcare":  # CLN does not report the registration date of Imunify servers
        addresses = {ip for place in selected if machine_address(ip := index.server(place).ip)}
        selected |= {place for ip in addresses for place in index.at_address(ip)}
    shown: dict[int, list[int]] = {number: [] for number in (*(of_keys or ()), *index.cautioned)}
    for number, server in sorted(selected):
        shown.setdefault(number, []).append(server)
    parts = []
    for number in sorted(shown):
        part = observation.parts[number]
        servers = [index.lists[number][server] for server in shown[number]]
        parts.append(replace(part, value=replace(part.value, servers=servers)))
    return parts


def _of_products(observation: Observation[Any], query: FormQuery) -> list[Part[Any]]:
    addresses = set(map(packed, query.ips))
    parts = []
    for part in observation.parts:
        value = part.value
        keys = [key for key in value.keys if _is_named(key.key, query)]
        servers = [
            server
            for server in value.servers
            if _is_named(server.key, query)
            and (not addresses or packed(server.ip) in addresses)
            and (not query.server_ids or server.server_id in query.server_ids)
        ]
        parts.append(replace(part, value=replace(value, keys=keys, servers=servers)))
    return parts


def _ip_licenses(observation: Observation[Any], query: FormQuery) -> list[Part[Any]]:
    addresses = set(map(packed, query.ips))
    parts = []
    for part in observation.parts:
        value = part.value
        licenses = [license_ for license_ in value.licenses if packed(license_.ip) in addresses]
        checkins = [checkin for checkin in value.checkins if packed(checkin.ip) in addresses]
        if licenses or checkins or part.cautions or part.name == LICENSE_LIST:
            parts.append(replace(part, value=replace(value, licenses=licenses, checkins=checkins)))
    return parts


def _patch_status(observation: Observation[Any], query: FormQuery) -> list[Part[Any]]:
    return [part for part in observation.parts if _is_named(part.name, query)]


def _is_named(key: str, query: FormQuery) -> bool:
    return not query.keys or any(same_key(key, name) for name in query.keys)


_SELECTORS: Mapping[str, Callable[[Observation[Any], FormQuery], list[Part[Any]]]] = {
    **dict.fromkeys(BY_PRODUCT, _of_products),
    "ip_licenses": _ip_licenses,
    "patch_status": _patch_status,
}
