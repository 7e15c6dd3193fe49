"""The host names of servers, which CLN reports in other lists than those of servers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from cln_monitor.cli.concurrent import ConcurrentReader
from cln_monitor.cln import ClnError, GroupServer, KernelCareKey, PatchedHost, RefusedError

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session

R = TypeVar("R")
S = TypeVar("S", bound=Any)
U = TypeVar("U")


class HostNameReader:
    """Reads host names of the account of ``session``. ``errors`` are the reads that failed, except refusals.

    An account without groups has no host names in them.
    """

    def __init__(self, session: Session, reader: ConcurrentReader) -> None:
        self._session, self._reader = session, reader
        self.errors: list[ClnError] = []

    def named(self, servers: Sequence[S], keys: Sequence[KernelCareKey], silent_since: float | None) -> list[S]:
        """Return ``servers`` with the host names in the groups, and in the patch status of the KernelCare ``keys``.

        The patch status is read for keys of servers that are in no group and have not checked in since the Unix time
        ``silent_since``; not without that time, nor if the configuration disables its probe.
        """
        groups = self._session.client.groups
        members = self._read(self._read([None], lambda _: groups.groups()), groups.servers)
        named = with_host_names(servers, members)
        if silent_since is None or not self._session.account.probes["patch_status"].enabled:
            return named
        silent = {
            server.key
            for server in named
            if not server.hostname and not (server.last_checkin and server.last_checkin >= silent_since)
        }
        statuses = [key for key in keys if key.key in silent]
        hosts = self._read(statuses, lambda key: self._session.client.patch_status.for_key(key).hosts)
        return with_host_names(servers, members, hosts) if hosts else named

    def _read(self, units: Sequence[U], read: Callable[[U], Sequence[R]]) -> list[R]:
        rows: list[R] = []
        for _, outcome in self._reader.read_all(units, read):
            if not isinstance(outcome, ClnError):
                rows += outcome
            elif not isinstance(outcome, RefusedError):
                self.errors.append(outcome)
        return rows


def with_host_names(servers: Sequence[S], members: Sequence[GroupServer], hosts: Iterable[PatchedHost] = ()) -> list[S]:
    """Return ``servers``, with host names for those that have none: of ``members`` of groups, else by their address.

    A server is matched by its id in the groups. By its address it is matched if it is the only server of its product
    there, in the groups, in the ``hosts`` of the patch status, and in those of ``servers`` that have a host name. A
    host name that several servers or addresses of a source share is not used.
    """
    named = [member for member in members if member.hostname and member.hostname != member.ip]
    by_id = _unambiguous({(member.server_id, f"{member.type} {member.hostname}", member.hostname) for member in named})
    sources = (
        ((member.ip, member.hostname) for member in named),
        ((host.ip, host.host) for host in hosts),
        ((server.ip, server.hostname) for server in servers),
    )
    by_ip: dict[str, str] = {}
    for source in reversed(sources):
        by_ip |= _unambiguous({(ip, name, name) for ip, name in source if ip and name and ip != name})
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
