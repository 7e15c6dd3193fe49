"""The probe of KernelCare: keys, their limits, and the check-ins of their servers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

import msgspec

from cln_monitor.cln import KernelCareKey, KernelCareServer, Limit
from cln_monitor.registrations import Registration, shared_addresses

from .caution import KeyLimits, server_cautions
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading, plan_of_keys
from .redaction import redact_limit, redact_rows
from .settings import CheckinSettings


class KernelCareKeyServers(msgspec.Struct, frozen=True):
    """A KernelCare key and its servers; ``key`` is the key's label."""

    key: str
    note: str
    enabled: bool | None
    limit: Limit
    servers: list[KernelCareServer]


def shared_registrations(
    keys: Iterable[KernelCareKeyServers], host_names: Mapping[str, str]
) -> list[list[Registration]]:
    """Return the servers of an account at each address that several have; ``host_names`` are by server ID.

    Servers that have never checked in are left out: they neither supersede another nor are superseded.
    """
    labels: list[str] = []
    servers: list[KernelCareServer] = []
    ends: list[int] = []  # a list of pairs of key and server would take seven times as much memory
    for key in keys:
        servers += [server for server in key.servers if server.last_checkin is not None]
        labels.append(key.key)
        ends.append(len(servers))
    return [
        [
            Registration(
                server.ip,
                server.last_checkin or None,
                server.created,
                labels[bisect_right(ends, position)],
                server_id=server.server_id,
                host=host_names.get(server.server_id, ""),
            )
            for position, server in ((position, servers[position]) for position in positions)
        ]
        for positions in shared_addresses([server.ip for server in servers])
    ]


class KernelCareProbe:
    """Reads the list of keys, then the servers of each key, with one call per key."""

    name = "kernelcare"
    settings = CheckinSettings
    per_account = True
    is_sharded = True

    def plan(self, context: ProbeContext) -> Plan[KernelCareKeyServers]:
        """Return one part per key of the account."""
        return plan_of_keys(context, context.client.kernelcare.keys(), "KernelCare", _read)


def _read(context: ProbeContext, key: KernelCareKey, limits: KeyLimits) -> Reading[KernelCareKeyServers]:
    client, label = context.client, context.key_label(key.key)
    rows = redact_rows(client, client.kernelcare.servers(key), "server_id", "ip")
    servers, ahead = without_ahead(rows, context.cln_now)
    value = KernelCareKeyServers(label, client.scrub(key.note), key.enabled, redact_limit(client, key.limit), servers)
    if key.enabled is False:  # nothing about it is a problem
        return Reading(value)
    return Reading(value, (*limits.by_key.get(label, ()), *server_cautions(servers, ahead, f"of key {label}")))
