"""The probe of server groups: which servers are in which group."""

from __future__ import annotations

from functools import partial

import msgspec

from cln_monitor.cln import Group

from .probe import Plan, ProbeContext, Reading
from .redaction import redact_rows
from .settings import HOUR, Duration, ProbeSettings


class GroupMember(msgspec.Struct, frozen=True):
    """A server of a group. ``server_id`` is the id in the lists of KernelCare and Imunify servers.

    ``product`` is the name that CLN uses. ``hostname`` and ``ip`` are empty if CLN does not report them.
    """

    server_id: str
    product: str
    hostname: str = ""
    ip: str = ""


class GroupState(msgspec.Struct, frozen=True):
    """A group and its servers, without duplicates."""

    group: str
    servers: list[GroupMember]


class GroupsSettings(ProbeSettings, frozen=True, kw_only=True):
    """Settings of the probe ``groups``. ``server_series`` enables per-server series."""

    enabled: bool = False
    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    server_series: bool = True


class GroupsProbe:
    """Reads the list of groups, then the servers of each group, with one call per group."""

    name = "groups"
    settings = GroupsSettings
    per_account = True
    is_sharded = False

    def plan(self, context: ProbeContext) -> Plan[GroupState]:
        """Return one part per group."""
        groups = context.client.groups.groups()
        return Plan({context.client.scrub(group.name): partial(_read, context, group) for group in groups})


def _read(context: ProbeContext, group: Group) -> Reading[GroupState]:
    client = context.client
    members = [
        GroupMember(server.server_id, server.type, server.hostname, server.ip)
        for server in client.groups.servers(group)
    ]
    shown = redact_rows(client, members, "server_id", "product", "hostname", "ip")
    return Reading(GroupState(client.scrub(group.name), shown))
