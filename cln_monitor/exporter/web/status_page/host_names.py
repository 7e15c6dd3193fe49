"""The host names of servers, from the observations that have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .probe_status import ProbeStatus
from .server_pools import SilentServer


class HostNames:
    """Knows the hosts of the accounts of some probes, by their addresses."""

    def __init__(self, statuses: Iterable[ProbeStatus]) -> None:
        self._sources: dict[str, list[Mapping[str, str]]] = {}
        for each in statuses:
            if each.digest.hosts:
                self._sources.setdefault(each.view.account, []).append(each.digest.hosts)

    def of(self, account: str, server: SilentServer) -> str:
        """Return the host name of a ``server``; empty where none is known, or others have its address as well."""
        names = {source[server.ip] for source in self._sources.get(account, ()) if server.ip in source}
        return names.pop() if len(names) == 1 and server.is_alone else ""
