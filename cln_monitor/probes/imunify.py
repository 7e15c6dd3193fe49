"""The probe of Imunify: keys, their limits, and the check-ins of their servers."""

from __future__ import annotations

import msgspec

from cln_monitor import facts
from cln_monitor.cln import ImunifyKey, ImunifyServer, Limit

from .caution import Caution, KeyLimits, server_cautions
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading, plan_of_keys
from .redaction import redact_limit, redact_rows
from .settings import CheckinSettings


class ImunifyKeyServers(msgspec.Struct, frozen=True):
    """An Imunify key and its servers. ``key`` is the key's label, ``product`` its code such as ``360_30``.

    ``servers_reported`` is the number of servers in the list of keys; None if CLN does not report it.
    """

    key: str
    product: str
    limit: Limit
    servers_reported: int | None
    servers: list[ImunifyServer]
    note: str = ""


class ImunifyProbe:
    """Reads the list of keys, then the servers of each key, with one call per key."""

    name = "imunify"
    settings = CheckinSettings
    per_account = True
    is_sharded = True

    def plan(self, context: ProbeContext) -> Plan[ImunifyKeyServers]:
        """Return one part per key of the account."""
        return plan_of_keys(context, context.client.imunify.keys(), "Imunify", _read)


def _read(context: ProbeContext, key: ImunifyKey, limits: KeyLimits) -> Reading[ImunifyKeyServers]:
    client, label = context.client, context.key_label(key.key)
    rows = redact_rows(client, client.imunify.servers(key), "server_id", "ip")
    servers, ahead = without_ahead(rows, context.cln_now)
    limit, reported = redact_limit(client, key.limit), key.servers if isinstance(key.servers, int) else None
    value = ImunifyKeyServers(label, client.scrub(key.code), limit, reported, servers, client.scrub(key.note))
    return Reading(
        value,
        (
            *limits.by_key.get(label, ()),
            *server_cautions(servers, ahead, f"of key {label}"),
            *_count_cautions(label, redact_limit(client, key.servers), len(servers)),
        ),
    )


def _count_cautions(label: str, reported: Limit, listed: int) -> tuple[Caution, ...]:
    if not isinstance(reported, int):
        return Caution.for_names(facts.COUNT_UNREADABLE, [f"{label} ('{reported}')"] if reported else [])
    # A small difference is normal: servers may be added or removed between the two calls.
    differs = [f"key {label} ({listed} of {reported})"] if 2 * listed < reported else []
    return Caution.for_names(facts.SERVERS_NOT_LISTED, differs)
