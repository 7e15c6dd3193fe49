"""Do all KernelCare servers still check in, and which key is about to run full?"""

from __future__ import annotations

from functools import partial

import msgspec

from cln_monitor.cln import KernelCareKey, KernelCareServer

from .probe import Plan, Source
from .settings import CheckinSettings
from .shown import without_secrets


class KernelCareKeyServers(msgspec.Struct, frozen=True):
    """A KernelCare key and its servers. ``key`` is the key's label; ``limit`` 0 for unlimited, None when not told."""

    key: str
    note: str
    enabled: bool | None
    limit: int | None
    servers: list[KernelCareServer]


class KernelCareProbe:
    """Reads the list of keys, then the servers of each: one call more than there are keys."""

    name = "kernelcare"
    settings = CheckinSettings
    of_account = True

    def plan(self, source: Source) -> Plan[KernelCareKeyServers]:
        """Return a part for each key of the account."""
        keys = [key for key in source.client.kernelcare.keys() if source.wants(key.key)]
        return Plan({source.key_label(key.key): partial(_read, source, key) for key in keys})


def _read(source: Source, key: KernelCareKey) -> KernelCareKeyServers:
    client = source.client
    servers = without_secrets(client, client.kernelcare.servers(key), "server_id", "ip")
    return KernelCareKeyServers(source.key_label(key.key), client.scrub(key.note), key.enabled, key.limit, servers)
