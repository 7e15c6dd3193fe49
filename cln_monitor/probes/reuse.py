"""Reuses the objects of the previous observation: between two polls, few fields of a server change.

Without this, an exporter needs the memory of all servers twice while it polls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from cln_monitor.cln import ImunifyServer, KernelCareServer

from .observation import Observation
from .probe import Plan, Probe, ProbeContext, Reading
from .settings import ProbeSettings

T = TypeVar("T")


class ReusingProbe(Generic[T]):
    """A ``probe`` whose readers return the objects of an ``earlier`` observation where they are equal."""

    def __init__(self, probe: Probe[T], earlier: Observation[T] | None) -> None:
        self._probe = probe
        self._values = {} if earlier is None else {part.name: part.value for part in earlier.parts}

    @property
    def name(self) -> str:
        """The name of the probe."""
        return self._probe.name

    @property
    def settings(self) -> type[ProbeSettings]:
        """The type of the probe's settings."""
        return self._probe.settings

    @property
    def per_account(self) -> bool:
        """Whether the probe runs once per account."""
        return self._probe.per_account

    @property
    def is_sharded(self) -> bool:
        """Whether the parts of an account are distributed over shards."""
        return self._probe.is_sharded

    def plan(self, context: ProbeContext) -> Plan[T]:
        """Return the plan of the probe. Raises ClnError."""
        if context.catalog is not None:  # what a patch fixes never changes, and is kept over restarts in this way
            for value in self._values.values():
                context.catalog.remember(getattr(value, "patches", ()))
        plan = self._probe.plan(context)
        readers = {
            name: partial(_read, reader, self._values[name]) if name in self._values else reader
            for name, reader in plan.readers.items()
        }
        return replace(plan, readers=readers)


def _read(reader: Callable[[], Reading[T]], earlier: T) -> Reading[T]:
    reading = reader()
    return replace(reading, value=reuse_servers(reading.value, earlier))


def reuse_servers(value: Any, earlier: Any) -> Any:
    """Return ``value`` with equal servers, and equal fields of others, taken from an ``earlier`` value of the part."""
    servers: list[Any] = getattr(value, "servers", None) or []
    merge = _MERGERS.get(type(servers[0])) if servers else None
    if merge is None:
        return value
    known = {server.server_id: server for server in earlier.servers}
    merged = [server if (old := known.get(server.server_id)) is None else merge(server, old) for server in servers]
    return replace(value, servers=merged)


def _merge_kernelcare(new: KernelCareServer, old: KernelCareServer) -> KernelCareServer:
    if new == old:
        return old
    ip = old.ip if old.ip == new.ip else new.ip
    created = old.created if old.created == new.created else new.created
    return KernelCareServer(old.server_id, ip, created, new.last_checkin)


def _merge_imunify(new: ImunifyServer, old: ImunifyServer) -> ImunifyServer:
    if new == old:
        return old
    return ImunifyServer(old.server_id, old.ip if old.ip == new.ip else new.ip, new.last_checkin)


_MERGERS: Mapping[type, Callable[[Any, Any], Any]] = {
    KernelCareServer: _merge_kernelcare,
    ImunifyServer: _merge_imunify,
}
