"""Which servers are in which group?"""

from __future__ import annotations

from functools import partial

import msgspec

from cln_monitor.cln import Group

from .probe import Plan, ProbeContext, Reading
from .redaction import redact_rows
from .settings import HOUR, Duration, ProbeSettings


class GroupMember(msgspec.Struct, frozen=True):
    """A server of a group: its id is that of the lists of KernelCare and Imunify servers; ``product`` in CLN's word.

    ``hostname`` and ``ip`` are empty where CLN does not tell them.
    """

    server_id: str
    product: str
    hostname: str = ""
    ip: str = ""


class GroupState(msgspec.Struct, frozen=True):
    """A group and its servers, each once."""

    group: str
    servers: list[GroupMember]


class GroupsSettings(ProbeSettings, frozen=True, kw_only=True):
    """Of the probe of the groups; a series a server unless switched off."""

    enabled: bool = False
    interval: Duration = Duration(HOUR)
    max_age: Duration = Duration(4 * HOUR)
    server_series: bool = True


class GroupsProbe:
    """Reads the list of groups, then the servers of each: one call more than there are groups."""

    name = "groups"
    settings = GroupsSettings
    of_account = True
    is_shared = False

    def plan(self, context: ProbeContext) -> Plan[GroupState]:
        """Return a part for each group."""
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
