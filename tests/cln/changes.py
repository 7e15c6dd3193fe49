"""Every change of the API document: how it is called, what is sent, and the result of the document's sample."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cln_monitor.cln import (
    Client,
    CloudLinuxKey,
    ConvertedServer,
    ElsKey,
    ElsServer,
    Group,
    GroupServer,
    ImunifyKey,
    IpLicense,
    RemovedServer,
)

from .answering import Asked
from .samples import MEANT, PLAIN

_GROUP_SERVER = GroupServer("SERVER-1", "10.000.0.000", "10.000.0.000", "IMUNIFY")


@dataclass(frozen=True)
class Change:
    """One change. ``call`` is the method of the client, ``sample`` the name of the answer.

    ``nothing`` is the data by which CLN says that it did nothing.
    """

    call: str
    arguments: dict[str, Any]
    method: str
    path: str
    query: dict[str, str]
    sample: str
    result: Any
    with_token: bool = True
    nothing: list[object] = field(default_factory=lambda: [None, False, "false"])

    def make(self, client: Client, **others: Any) -> Any:
        """Make the change; ``others`` replace some of its arguments."""
        return self.method_of(client)(**{**self.arguments, **others})

    def method_of(self, client: Client) -> Callable[..., Any]:
        """Return the method of ``client`` that makes the change."""
        family, _, name = self.call.partition(".")
        return getattr(getattr(client, family), name)  # type: ignore[no-any-return] # any method there is

    @property
    def asked(self) -> Asked:
        """The request that is sent."""
        return Asked(self.method, self.path, self.query, self.with_token)

    @property
    def body(self) -> bytes:
        """The response in the document."""
        return PLAIN[self.sample] if self.sample.endswith(".plain") else MEANT[self.sample]

    @property
    def data(self) -> Any:
        """The data in the response."""
        document = json.loads(self.body)
        return document["data"] if isinstance(document, dict) and "success" in document else document


CHANGES = [
    Change(
        "kernelcare.create_key",
        {"limit": 2, "note": "Key description"},
        "GET",
        "/kcare/key/create.json",
        {"limit": "2", "note": "Key description"},
        "kcare.key.create.json",
        "WsTs821nSAtiastD",
    ),
    Change(
        "kernelcare.delete_key",
        {"key": "WsTs821nSAtiastD"},
        "GET",
        "/kcare/key/delete.json",
        {"key": "WsTs821nSAtiastD"},
        "kcare.key.delete.json",
        None,
    ),
    Change(
        "kernelcare.set_cidrs",
        {"key": "WsTs821nSAtiastD", "cidrs": ["192.0.2.0/24", "2001:DB8:0::/32"]},
        "GET",
        "/kcare/key/set_cidr.json",
        {"key": "WsTs821nSAtiastD", "cidr": "192.0.2.0/24,2001:db8::/32"},
        "kcare.key.set_cidr.json",
        None,
    ),
    Change(
        "kernelcare.remove_server",
        {"server_id": "s096slnkaAtoiAsd"},
        "GET",
        "/kcare/srv/remove.json",
        {"server_id": "s096slnkaAtoiAsd"},
        "kcare.srv.remove.json",
        RemovedServer("s096slnkaAtoiAsd", ""),
    ),
    Change(
        "imunify.create_key",
        {"code": "360_1", "limit": 0},
        "GET",
        "/im/key/create.json",
        {"code": "360_1", "limit": "0"},
        "im.key.create.json",
        ImunifyKey("IM1SOMENONSENCETEXT", "360_1", 0, None),
    ),
    Change(
        "imunify.update_key",
        {"key": "IMKEYVALUE", "limit": 2},
        "GET",
        "/im/key/update.json",
        {"key": "IMKEYVALUE", "limit": "2"},
        "im.key.update.json",
        ImunifyKey("IM1SOMENONSENCETEXT", "360_250", 2, 1),
    ),
    Change(
        "imunify.remove_key",
        {"key": "IMKEYVALUE"},
        "GET",
        "/im/key/remove.json",
        {"key": "IMKEYVALUE"},
        "im.key.remove.json",
        [RemovedServer("SSERVER_ID_1", "IMKEYVALUE"), RemovedServer("SSERVER_ID_2", "IMKEYVALUE")],
    ),
    Change(
        "imunify.remove_server",
        {"server_id": "SSERVER_ID_1"},
        "GET",
        "/im/srv/remove.json",
        {"id": "SSERVER_ID_1"},
        "im.srv.remove.json",
        RemovedServer("SSERVER_ID_1", "IMKEYVALUE"),
    ),
    Change(
        "imunify.convert_server",
        {"server_id": "SSERVER_ID_1", "new_key": "IMUNNEWKEYVALUE"},
        "GET",
        "/im/srv/convert.json",
        {"id": "SSERVER_ID_1", "key": "IMUNNEWKEYVALUE"},
        "im.srv.convert.json",
        ConvertedServer("SSERVER_ID_1", "IMKEYVALUE"),
    ),
    Change(
        "els.create_key",
        {"code": "CELS", "limit": 2, "note": "12"},
        "POST",
        "/els/key/create.json",
        {"code": "CELS", "productType": "CELS", "limit": "2", "note": "12"},
        "els.key.create.json",
        ElsKey("CELS-yUDxBd5ethmGO5d3hnAZEau0", "CELS", 2, "123"),
    ),
    Change(
        "els.update_key",
        {"key": "CELS-key", "limit": 4, "note": ""},
        "PUT",
        "/els/key/update.json",
        {"key": "CELS-key", "limit": "4", "note": ""},
        "els.key.update.json",
        ElsKey("CELS-yUDxBd5ethmGO5d3hnAZEau0", "CELS", 4, "321"),
    ),
    Change(
        "els.remove_key",
        {"key": "CELS-key"},
        "DELETE",
        "/els/key/remove.json",
        {"key": "CELS-key"},
        "els.key.remove.json",
        [ElsServer("", "CELS-yUDxBd5ethmGO5d3hnAZEau0", "", "")],
    ),
    Change(
        "els.remove_server",
        {"server_id": "12345"},
        "DELETE",
        "/els/srv/remove.json",
        {"id": "12345"},
        "els.srv.remove.json",
        ElsServer("12345", "CELS-value", "1.1.1.1", "test"),
    ),
    Change(
        "ip_licenses.register",
        {"ip": "1.1.1.1", "type": 16},
        "GET",
        "/ipl/register.json",
        {"ip": "1.1.1.1", "type": "16"},
        "ipl.register.json",
        IpLicense("1.1.1.1", 16, False, 1398871560.0),
    ),
    Change(
        "ip_licenses.convert",
        {"ip": "1.1.1.1", "type": 41, "type_to": 43},
        "GET",
        "/ipl/convert.json",
        {"ip": "1.1.1.1", "type": "41", "type_to": "43"},
        "ipl.convert.json",
        None,
    ),
    Change(
        "ip_licenses.remove",
        {"ip": "1.1.1.1", "type": 16},
        "GET",
        "/ipl/remove.json",
        {"ip": "1.1.1.1", "type": "16"},
        "ipl.remove.json",
        None,
    ),
    Change(
        "ip_licenses.update",
        {"ip": "1.1.1.1", "els_allowed": True, "type": 16},
        "GET",
        "/ipl/update.json",
        {"ip": "1.1.1.1", "els_allowed": "true", "type": "16"},
        "ipl.update.json",
        None,
    ),
    Change(
        "cloudlinux.create_key",
        {"product": "CL", "limit": 12, "note": "web farm"},
        "POST",
        "/v2/cl/keys",
        {"limit": "12", "productType": "CL", "note": "web farm"},
        "v2.cl.keys.post.json",
        CloudLinuxKey("CLN7aa0000", "CL", 12, "web farm"),
    ),
    Change(
        "cloudlinux.update_key",
        {"key": "CLN7aa0000", "limit": 12},
        "PATCH",
        "/v2/cl/keys",
        {"key": "CLN7aa0000", "limit": "12"},
        "v2.cl.keys.post.json",
        CloudLinuxKey("CLN7aa0000", "CL", 12, "web farm"),
    ),
    Change(
        "cloudlinux.remove_key",
        {"key": "CLN7aa0000"},
        "DELETE",
        "/v2/cl/keys",
        {"key": "CLN7aa0000"},
        "v2.cl.keys.delete.json",
        None,
    ),
    Change(
        "cloudlinux.remove_server",
        {"server_id": "40211"},
        "DELETE",
        "/v2/cl/servers",
        {"id": "40211"},
        "v2.cl.servers.delete.json",
        RemovedServer("40211", "CLN7aa0000"),
    ),
    Change(
        "groups.create",
        {"name": "NAME", "description": "DESCRIPTION"},
        "POST",
        "/group/create.json",
        {"name": "NAME", "description": "DESCRIPTION"},
        "group.create.json",
        Group("NAME", "DESCRIPTION"),
    ),
    Change(
        "groups.add_servers",
        {"name": "NAME", "server_ids": ["SERVER-1", "SERVER-2"]},
        "PUT",
        "/group/servers/put.json",
        {"name": "NAME", "server_ids": "SERVER-1,SERVER-2"},
        "group.servers.put.json",
        [_GROUP_SERVER],
        nothing=[None, False, "false", []],
    ),
    Change(
        "groups.remove_servers",
        {"name": "NAME", "server_ids": ["SERVER-1"]},
        "DELETE",
        "/group/servers/remove.json",
        {"name": "NAME", "server_ids": "SERVER-1"},
        "group.servers.remove.json",
        [_GROUP_SERVER],
        nothing=[None, False, "false", []],
    ),
    Change(
        "monitoring_keys.register",
        {"key": "WsTs821nSAtiastD"},
        "GET",
        "/kcare/nagios/register_key.plain",
        {"key": "WsTs821nSAtiastD"},
        "kcare.nagios.register_key.plain",
        None,
        with_token=False,
        nothing=[],
    ),
]

IN_JSON = [change for change in CHANGES if change.sample.endswith(".json")]


def named(change: Change) -> str:
    """Return the name of a change for the id of a test."""
    return change.call
