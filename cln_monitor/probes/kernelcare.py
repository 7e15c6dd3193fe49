"""Do all KernelCare servers still check in, and which key is about to run full?"""

from __future__ import annotations

import msgspec

from cln_monitor.cln import KernelCareKey, KernelCareServer, Limit

from .caution import KeyLimits, of_servers
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading, plan_of_keys
from .redaction import redact_limit, redact_rows
from .settings import CheckinSettings


class KernelCareKeyServers(msgspec.Struct, frozen=True):
    """A KernelCare key and its servers. ``key`` is the key's label."""

    key: str
    note: str
    enabled: bool | None
    limit: Limit
    servers: list[KernelCareServer]


class KernelCareProbe:
    """Reads the list of keys, then the servers of each: one call more than there are keys."""

    name = "kernelcare"
    settings = CheckinSettings
    of_account = True
    is_shared = True

    def plan(self, context: ProbeContext) -> Plan[KernelCareKeyServers]:
        """Return a part for each key of the account."""
        return plan_of_keys(context, context.client.kernelcare.keys(), "KernelCare", _read)


def _read(context: ProbeContext, key: KernelCareKey, limits: KeyLimits) -> Reading[KernelCareKeyServers]:
    client, label = context.client, context.key_label(key.key)
    told = redact_rows(client, client.kernelcare.servers(key), "server_id", "ip")
    servers, ahead = without_ahead(told, context.cln_now)
    value = KernelCareKeyServers(label, client.scrub(key.note), key.enabled, redact_limit(client, key.limit), servers)
    if key.enabled is False:  # nothing about it is a problem
        return Reading(value)
    return Reading(value, (*limits.of_key.get(label, ()), *of_servers(servers, ahead, f"of key {label}")))
