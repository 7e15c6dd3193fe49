"""The host names of servers, which CLN reports in the lists of ELS servers, and for others in other responses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .observation import Observation

NAMED_PROBES = frozenset({"kernelcare", "imunify", "ip_licenses", "els"})
"""The probes whose servers have host names on the page, in JSON and in checks."""
HOST_NAME_SOURCES = ("groups", "patch_status", "els")
"""The probes whose responses have host names, the most reliable one first."""


class HostIndex:
    """An index by server id and by address of the host names in ``sources``, observations by probe.

    Ambiguous names are left out: those of two servers, and those of a server or an address with several names.
    """

    def __init__(self, sources: Mapping[str, Observation[Any]]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_address: dict[str, str] = {}
        for probe in reversed(HOST_NAME_SOURCES):
            source = sources.get(probe)
            if source is not None:
                self._by_address |= _one_to_one((ip, name) for name, ip in _hosts(source))
        for members in _by_product(sources.get("groups")):
            self._by_id |= _one_to_one(
                (member.server_id, member.hostname) for member in members if member.hostname != member.ip
            )

    def names_of(self, observation: Observation[Any]) -> dict[str, str]:
        """Return the host names of the servers in ``observation`` by server id, or of IP licenses by address.

        A server is looked up by its id, or else by its address if no other server in ``observation`` has that address.
        """
        names = _own_names(observation)
        if not (self._by_id or self._by_address):
            return names
        servers = list(_servers(observation))
        names = {server: name for server, _ in servers if (name := self._by_id.get(server))} | names
        if self._by_address:
            count_by_ip = Counter(ip for _, ip in servers)
            names |= {
                server: name
                for server, ip in servers
                if server not in names and count_by_ip[ip] == 1 and (name := self._by_address.get(ip))
            }
        return names


def _servers(observation: Observation[Any]) -> Iterable[tuple[str, str]]:
    """Return the id and the address of each server; the address twice for IP licenses, which have no id."""
    if observation.probe == "ip_licenses":
        return {(license_.ip, license_.ip) for part in observation.parts for license_ in part.value.licenses}
    return ((server.server_id, server.ip) for part in observation.parts for server in part.value.servers)


def _own_names(observation: Observation[Any]) -> dict[str, str]:
    """Return the host names in the list of servers itself, by server id."""
    if observation.probe != "els":
        return {}
    servers = (server for part in observation.parts for server in part.value.servers)
    return {server.server_id: server.hostname for server in servers if server.hostname and server.hostname != server.ip}


def _hosts(source: Observation[Any]) -> Iterator[tuple[str, str]]:
    """Yield the host name and the address of each server."""
    for part in source.parts:
        if source.probe == "patch_status":
            yield from ((host.host, host.ip) for host in part.value.hosts)
        else:
            yield from ((server.hostname, server.ip) for server in part.value.servers)


def _by_product(groups: Observation[Any] | None) -> Iterable[list[Any]]:
    """Return the servers of all ``groups``, one list per product; a machine has one server of each product."""
    members: dict[str, list[Any]] = {}
    for part in groups.parts if groups is not None else ():
        for member in part.value.servers:
            members.setdefault(member.product, []).append(member)
    return members.values()


def _one_to_one(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the ``pairs`` as a dict, without ambiguous ones, and without those with empty or equal halves."""
    names: dict[str, str] = {}
    holders: dict[str, str] = {}
    ambiguous = set()
    for holder, name in pairs:
        if not holder or not name or holder == name:
            continue
        if names.setdefault(holder, name) != name:
            ambiguous.add(holder)
        if (other := holders.setdefault(name, holder)) != holder:
            ambiguous |= {holder, other}
    for holder in ambiguous:
        del names[holder]
    return names
