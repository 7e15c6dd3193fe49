"""The host names of servers, which CLN tells in its groups and not in the lists of servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from cln_monitor.cln import GroupServer

S = TypeVar("S", bound=Any)


def with_host_names(servers: Sequence[S], members: Sequence[GroupServer]) -> list[S]:
    """Return ``servers`` with the host names that ``members`` of groups have, where they have none of their own.

    A server is found by its id, else by its address where one member and one server of its product have it. A name
    that two servers of a product hold is none.
    """
    named = [each for each in members if each.hostname and each.hostname != each.ip]
    by_id = _unambiguous({(each.server_id, f"{each.type} {each.hostname}", each.hostname) for each in named})
    by_ip = _unambiguous({(each.ip, each.hostname, each.hostname) for each in named if each.ip})
    held = Counter((server.product, server.ip) for server in servers)

    def name_of(server: S) -> str:
        by_address = by_ip.get(server.ip, "") if held[server.product, server.ip] == 1 else ""
        return server.hostname or by_id.get(server.server_id, "") or by_address

    return [replace(server, hostname=name_of(server)) for server in servers]


def _unambiguous(triples: set[tuple[str, str, str]]) -> dict[str, str]:
    """Return the names by what they are of, where each is of the other alone."""
    holders = Counter(holder for _, holder, _ in triples)
    names = Counter(of for of, _, _ in triples)
    return {of: name for of, holder, name in triples if holders[holder] == 1 and names[of] == 1}
