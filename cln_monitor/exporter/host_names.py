"""The host names of servers, which CLN tells in other answers than those that list the servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cln_monitor.probes import Observation

NAMED = frozenset({"kernelcare", "imunify", "ip_licenses"})
"""The probes whose servers have no host name in their own answers."""
SOURCES = ("groups", "patch_status", "els")
"""The probes that see host names, the most reliable one first."""


class HostIndex:
    """The host names in the observations of ``sources``, by probe: by server id, and by address.

    A host name that two servers hold is no name, nor is one of several of a server or an address.
    """

    def __init__(self, sources: Mapping[str, Observation[Any]]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_address: dict[str, str] = {}
        for probe in reversed(SOURCES):
            source = sources.get(probe)
            if source is not None:
                self._by_address |= _one_to_one((ip, name) for name, ip in _hosts(source))
        for members in _by_product(sources.get("groups")):
            self._by_id |= _one_to_one((each.server_id, each.hostname) for each in members if each.hostname != each.ip)

    def names_of(self, seen: Observation[Any]) -> dict[str, str]:
        """Return the host names of the servers in ``seen``, by server id; by address for IP licenses, without ids.

        A server is found by its id, else by its address where no other server in ``seen`` has it.
        """
        if not (self._by_id or self._by_address):
            return {}
        servers = list(_servers(seen))
        names = {server: name for server, _ in servers if (name := self._by_id.get(server))}
        if self._by_address:
            held = Counter(ip for _, ip in servers)
            names |= {
                server: name
                for server, ip in servers
                if server not in names and held[ip] == 1 and (name := self._by_address.get(ip))
            }
        return names


def _servers(seen: Observation[Any]) -> Iterable[tuple[str, str]]:
    """Yield what tells each server apart, and its address."""
    if seen.probe == "ip_licenses":
        return {(license_.ip, license_.ip) for part in seen.parts for license_ in part.value.licenses}
    return ((server.server_id, server.ip) for part in seen.parts for server in part.value.servers)


def _hosts(source: Observation[Any]) -> Iterator[tuple[str, str]]:
    """Yield host names and addresses."""
    for part in source.parts:
        if source.probe == "patch_status":
            yield from ((each.host, each.ip) for each in part.value.hosts)
        else:
            yield from ((each.hostname, each.ip) for each in part.value.servers)


def _by_product(groups: Observation[Any] | None) -> Iterable[list[Any]]:
    """Return the servers of all ``groups`` by product: a machine has a server of each."""
    members: dict[str, list[Any]] = {}
    for part in groups.parts if groups is not None else ():
        for member in part.value.servers:
            members.setdefault(member.product, []).append(member)
    return members.values()


def _one_to_one(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the ``pairs`` neither half of which is in another pair, without those of empty or equal halves."""
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
