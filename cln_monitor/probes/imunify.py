"""Do all Imunify servers still check in, and which key is about to run full?"""

from __future__ import annotations

from functools import partial

import msgspec

from cln_monitor.cln import ImunifyKey, ImunifyServer

from .probe import Plan, Source
from .settings import CheckinSettings
from .shown import without_secrets


class ImunifyKeyServers(msgspec.Struct, frozen=True):
    """An Imunify key and its servers. ``key`` is the key's label; ``product`` its code, such as ``360_30``.

    ``limit``: most servers, 0 for unlimited; ``servers_reported``: how many the list of keys says; None when not told.
    """

    key: str
    product: str
    limit: int | None
    servers_reported: int | None
    servers: list[ImunifyServer]


class ImunifyProbe:
    """Reads the list of keys, then the servers of each: one call more than there are keys."""

    name = "imunify"
    settings = CheckinSettings
    of_account = True

    def plan(self, source: Source) -> Plan[ImunifyKeyServers]:
        """Return a part for each key of the account."""
        keys = [key for key in source.client.imunify.keys() if source.wants(key.key)]
        return Plan({source.key_label(key.key): partial(_read, source, key) for key in keys})


def _read(source: Source, key: ImunifyKey) -> ImunifyKeyServers:
    client = source.client
    servers = without_secrets(client, client.imunify.servers(key), "server_id", "ip")
    return ImunifyKeyServers(source.key_label(key.key), client.scrub(key.code), key.limit, key.servers, servers)
