"""Do all Imunify servers still check in, and which key is about to run full?"""

from __future__ import annotations

import msgspec

from cln_monitor import facts
from cln_monitor.cln import ImunifyKey, ImunifyServer, Limit

from .caution import Caution, KeyLimits, of_servers
from .checkins import without_ahead
from .probe import Plan, ProbeContext, Reading, plan_of_keys
from .redaction import redact_limit, redact_rows
from .settings import CheckinSettings


class ImunifyKeyServers(msgspec.Struct, frozen=True):
    """An Imunify key and its servers. ``key`` is the key's label; ``product`` its code, such as ``360_30``.

    ``servers_reported``: how many the list of keys says, None when not told.
    """

    key: str
    product: str
    limit: Limit
    servers_reported: int | None
    servers: list[ImunifyServer]
    note: str = ""


class ImunifyProbe:
    """Reads the list of keys, then the servers of each: one call more than there are keys."""

    name = "imunify"
    settings = CheckinSettings
    of_account = True
    is_shared = True

    def plan(self, context: ProbeContext) -> Plan[ImunifyKeyServers]:
        """Return a part for each key of the account."""
        return plan_of_keys(context, context.client.imunify.keys(), "Imunify", _read)


def _read(context: ProbeContext, key: ImunifyKey, limits: KeyLimits) -> Reading[ImunifyKeyServers]:
    client, label = context.client, context.key_label(key.key)
    told = redact_rows(client, client.imunify.servers(key), "server_id", "ip")
    servers, ahead = without_ahead(told, context.cln_now)
    limit, reported = redact_limit(client, key.limit), key.servers if isinstance(key.servers, int) else None
    value = ImunifyKeyServers(label, client.scrub(key.code), limit, reported, servers, client.scrub(key.note))
    return Reading(
        value,
        (
            *limits.of_key.get(label, ()),
            *of_servers(servers, ahead, f"of key {label}"),
            *_of_count(label, redact_limit(client, key.servers), len(servers)),
        ),
    )


def _of_count(label: str, reported: Limit, listed: int) -> tuple[Caution, ...]:
    if not isinstance(reported, int):
        return Caution.of(facts.COUNT_UNREADABLE, [f"{label} ('{reported}')"] if reported else [])
    # One or two apart they are whenever a server comes or goes between the two calls.
    differs = [f"key {label} ({listed} of {reported})"] if 2 * listed < reported else []
    return Caution.of(facts.SERVERS_NOT_LISTED, differs)
