"""The host names of servers that a check has read from CLN itself, from further calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

import msgspec

from cln_monitor.cln import Clock, ReadOnlyClient
from cln_monitor.config import AccountConfig, ClientFactory
from cln_monitor.probes import PROBES, HostIndex, Observation, PatchStatusSettings, Plan, Probe, ProbeContext, run_probe


class DirectReport(dict[str, Any]):
    """A report of CLN itself. ``read_host_names`` returns the host names of its servers, with further calls."""

    def __init__(self, values: Mapping[str, Any], read_host_names: Callable[[], Mapping[str, str]]) -> None:
        super().__init__(values)
        self._read_host_names = read_host_names

    def with_host_names(self) -> dict[str, Any]:
        """Return this report with the host names of its servers; those that cannot be read are left out."""
        return {**self, "host_names": dict(self._read_host_names())}


class HostNameReader:
    """Reads the host names of servers of an ``account`` with ``client``, whose deadline applies.

    They are in the groups, and those of KernelCare servers in the patch status of their keys, if that is monitored.
    """

    def __init__(self, account: AccountConfig, clients: ClientFactory, client: ReadOnlyClient) -> None:
        self._account, self._clients, self._client = account, clients, client

    def names_of(
        self, observation: Observation[Any], stale_after: float, pool: Executor, clock: Clock
    ) -> dict[str, str]:
        """Return the host names of the servers in ``observation`` by id, or by address for IP licenses.

        The patch status is read for keys with servers that are silent for ``stale_after`` seconds and in no group.
        """
        own = HostIndex({}).names_of(observation)
        servers = [server for part in observation.parts for server in getattr(part.value, "servers", ())]
        if servers and all(server.server_id in own for server in servers):
            return own
        groups = run_probe(PROBES["groups"], self._context("groups"), pool, clock).observation
        names = HostIndex({"groups": groups}).names_of(observation)
        patches = self._account.probes["patch_status"]
        silent = {
            part.name
            for part in observation.parts
            for server in getattr(part.value, "servers", ())
            if server.server_id not in names
            and not (server.last_checkin and clock.time() - server.last_checkin <= stale_after)
        }
        is_monitored = isinstance(patches, PatchStatusSettings) and patches.enabled and "key" in patches.scopes
        if observation.probe != "kernelcare" or not is_monitored or not silent:
            return names
        probe = _Parts(PROBES["patch_status"], silent)
        status = run_probe(probe, self._context("patch_status"), pool, clock).observation
        return HostIndex({"groups": groups, "patch_status": status}).names_of(observation)

    def _context(self, probe: str) -> ProbeContext:
        return msgspec.structs.replace(self._clients.for_account(self._account, probe), client=self._client)


class _Parts:
    """The ``probe``, but reading only the parts with these ``names``."""

    per_account, is_sharded = True, True

    def __init__(self, probe: Probe[Any], names: set[str]) -> None:
        self._probe, self._names = probe, names
        self.name, self.settings = probe.name, probe.settings

    def plan(self, context: ProbeContext) -> Plan[Any]:
        plan = self._probe.plan(context)
        readers = {name: read for name, read in plan.readers.items() if name in self._names}
        return msgspec.structs.replace(plan, readers=readers)
