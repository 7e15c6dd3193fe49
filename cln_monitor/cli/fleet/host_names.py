"""The host names of servers, which CLN reports in groups and not in the lists of servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cln_monitor.cln import GroupServer

S = TypeVar("S", bound=Any)


def with_host_names(servers: Sequence[S], members: Sequence[GroupServer]) -> list[S]:
    """Return ``servers``, with the host names of ``members`` of groups for those that have no host name.

    A server is matched by its id, or by its address if exactly one member and one server of its product have that
    address. A host name that several servers of a product share is not used.
    """
    named = [member for member in members if member.hostname and member.hostname != member.ip]
    by_id = _unambiguous({(member.server_id, f"{member.type} {member.hostname}", member.hostname) for member in named})
    by_ip = _unambiguous({(member.ip, member.hostname, member.hostname) for member in named if member.ip})
    held = Counter((server.product, server.ip) for server in servers)

    def name_of(server: S) -> str:
        by_address = by_ip.get(server.ip, "") if held[server.product, server.ip] == 1 else ""
        return server.hostname or by_id.get(server.server_id, "") or by_address

    return [replace(server, hostname=name_of(server)) for server in servers]


def _unambiguous(triples: set[tuple[str, str, str]]) -> dict[str, str]:
    """Return names by server, from triples (server, holder, name), where server and holder match one to one."""
    holders = Counter(holder for _, holder, _ in triples)
    names = Counter(server for server, _, _ in triples)
    return {server: name for server, holder, name in triples if holders[holder] == 1 and names[server] == 1}
