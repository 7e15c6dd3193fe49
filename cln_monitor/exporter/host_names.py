"""The host names of servers, which CLN tells in other answers than those that list the servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cln_monitor.probes import Observation

NAMED = frozenset({"kernelcare", "imunify", "ip_licenses"})
"""The probes whose servers have no host name in their own answers."""
SOURCES = ("groups", "patch_status", "els")
"""The probes that see host names, the most reliable one first."""


class _Host(NamedTuple):
    """A host as a source has it; ``server_id`` is empty where it is not that of the lists of servers."""

    name: str
    ip: str
    server_id: str = ""
    product: str = ""


def host_names(seen: Observation[Any], sources: Mapping[str, Observation[Any]]) -> dict[str, str]:
    """Return the host names of the servers in ``seen``, by server id; by address for IP licenses, which have no id.

    A server is found by its id, else by its address where exactly one host of the source and one server in ``seen``
    have it. A host name that two servers hold is no name. What is in no observation of ``sources`` is not asked for.
    """
    by_id = _by_id(_hosts("groups", sources.get("groups")))
    by_address: dict[str, str] = {}
    for probe in SOURCES:
        by_address = _by_address(_hosts(probe, sources.get(probe))) | by_address
    servers = list(_servers(seen))
    held = Counter(ip for _, ip in servers)
    names = {}
    for server, ip in servers:
        if name := by_id.get(server) or (by_address.get(ip) if held[ip] == 1 else None):
            names[server] = name
    return names


def _servers(seen: Observation[Any]) -> Iterable[tuple[str, str]]:
    """Yield what tells each server apart, and its address."""
    if seen.probe == "ip_licenses":
        return {(license_.ip, license_.ip) for part in seen.parts for license_ in part.value.licenses}
    return ((server.server_id, server.ip) for part in seen.parts for server in part.value.servers)


def _hosts(probe: str, source: Observation[Any] | None) -> set[_Host]:
    if source is None:
        return set()
    values = [part.value for part in source.parts]
    if probe == "groups":
        found = {
            _Host(each.hostname, each.ip, each.server_id, each.product) for value in values for each in value.servers
        }
    elif probe == "patch_status":
        found = {_Host(each.host, each.ip) for value in values for each in value.hosts}
    else:
        found = {_Host(each.hostname, each.ip) for value in values for each in value.servers}
    return {host for host in found if host.name and host.name != host.ip}


def _by_id(hosts: set[_Host]) -> dict[str, str]:
    with_id = {(host.server_id, host.name, host.product) for host in hosts if host.server_id}
    holders = Counter((name, product) for _, name, product in with_id)
    names = Counter(server_id for server_id, _ in {(server_id, name) for server_id, name, _ in with_id})
    return {
        server_id: name for server_id, name, product in with_id if holders[name, product] == 1 and names[server_id] == 1
    }


def _by_address(hosts: set[_Host]) -> dict[str, str]:
    pairs = {(host.ip, host.name) for host in hosts if host.ip}
    of_ip, of_name = Counter(ip for ip, _ in pairs), Counter(name for _, name in pairs)
    return {ip: name for ip, name in pairs if of_ip[ip] == 1 and of_name[name] == 1}
