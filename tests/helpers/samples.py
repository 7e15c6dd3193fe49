"""The sample responses of the API document, one row per call.

They are as printed, including errors and placeholders. Only JSON that the PDF broke is repaired: comments, commas,
joined lines, and the type of `/ipl/register.json`. The first sample of a call is that of 2024-03, the others follow
words or later revisions; methods are those of 2024-10. Responses that the document describes only in words follow its
description.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """A JSON sample, with `message` and `success` if it is printed with its envelope."""

    data: object
    message: str | None = None
    success: bool = True


_STATUS = """\
success:true
db_clweb_connected:true
db_clweb_online:false
db_rhn_connected:true
db_rhn_online:true
rhn_overloaded:false
rhn_queue_full: true
xmlrpc:false
ip_server_reg:false"""
_ELS_KEY = "CELS-yUDxBd5ethmGO5d3hnAZEau0"
_ELS_SERVER = {"id": "12345", "key": "CELS-value", "ip": "1.1.1.1", "hostname": "test"}
_ELS_SERVER_OF_TODAY = {**_ELS_SERVER, "lastCheckin": "2022-09-05 14:22:23.781372"}  # since 2024-10
_CLOUDLINUX_KEY = {"key": "CLN7aa", "product_type": "cl", "usage_limit": 12, "description": "web farm"}
_CLOUDLINUX_SERVER = {"id": 40211, "key": "CLN7aa", "ip": "198.51.100.9", "hostname": "web9.example.net"}
_SUB_ACCOUNT = {
    "sub_account_login": "reseller7",
    "sub_account_email": "x@example.org",
    "server_id": 40211,
    "server_key": "CLN7aa",
    "version": 9,
    "ip": "198.51.100.9",
}
_IMUNIFY_SERVER = {"id": "SSERVER_ID_1", "key": "IMKEYVALUE"}
_IP_LICENSE = {"ip": "1.1.1.1", "type": 16, "registered": False, "created": "2014-04-30T11:26-0400"}
_GROUP = {"name": "NAME", "description": "DESCRIPTION"}
_GROUP_SERVER = {"id": "SERVER-1", "hostName": "10.000.0.000", "ip": "10.000.0.000", "type": "IMUNIFY"}
_TRUE_OR_FALSE = (Sample(True), Sample(False))  # in words
_EMPTY = Sample([])  # in words
_PLAIN_ERROR = "success:false message:Unexpected server error"
_ALL_UP_TO_DATE = "KernelCare OK - all servers are up to date!"

SAMPLES: Mapping[tuple[str, str], tuple[Sample | str, ...]] = {
    ("GET", "/status.json"): (
        Sample(
            {
                "db_clweb_connected": True,
                "db_clweb_online": True,
                "db_rhn_connected": True,
                "db_rhn_online": True,
                "rhn_overloaded": True,
                "rhn_queue_full": True,
                "xmlrpc": True,
                "ip_server_reg": True,
            }
        ),
    ),
    ("GET", "/status.plain"): (
        _STATUS,
        _PLAIN_ERROR,
    ),
    ("POST", "/els/key/create.json"): (
        Sample({"key": _ELS_KEY, "productCode": "CELS", "usageLimit": "2", "description": "123"}),
    ),
    ("PUT", "/els/key/update.json"): (
        Sample({"key": _ELS_KEY, "productCode": "CELS", "usageLimit": "4", "description": "321"}),
    ),
    ("DELETE", "/els/key/remove.json"): (Sample([{"key": _ELS_KEY}]), Sample({"key": _ELS_KEY})),
    ("GET", "/els/key/list.json"): (
        Sample(
            [
                {"key": _ELS_KEY, "productCode": "CELS", "usageLimit": "2", "description": 123},
                {
                    "key": "CELS-kdiRMfJ4yhmF7je4ldptndYk",
                    "productCode": "CELS",
                    "usageLimit": "5",
                    "description": None,
                },
            ]
        ),
    ),
    ("GET", "/els/srv/list.json"): (
        Sample([_ELS_SERVER, {"id": "12346", "key": "CELS-value", "ip": "1.1.1.1", "hostname": "test2"}]),
        Sample([_ELS_SERVER_OF_TODAY]),
        _EMPTY,
    ),
    ("DELETE", "/els/srv/remove.json"): (Sample(_ELS_SERVER), Sample(_ELS_SERVER_OF_TODAY)),
    ("GET", "/im/key/create.json"): (Sample({"key": "IM1SOMENONSENCETEXT", "limit": "0", "code": "360_1"}),),
    ("GET", "/im/key/update.json"): (
        Sample({"key": "IM1SOMENONSENCETEXT", "limit": "2", "code": "360_250", "servers": "1"}),
    ),
    ("GET", "/im/key/remove.json"): (Sample([_IMUNIFY_SERVER, {"id": "SSERVER_ID_2", "key": "IMKEYVALUE"}]),),
    ("GET", "/im/key/list.json"): (
        Sample(
            [
                {"key": "IM1SOMENONSENCETEXT", "limit": "2", "code": "360_250", "servers": "0"},
                {"key": "IMUNOTHERKEY", "limit": "42", "code": "360_UN", "servers": "1"},
            ]
        ),
    ),
    ("GET", "/im/srv/list.json"): (
        Sample(
            [
                {
                    "id": "SSERVER_ID_1",
                    "ip": "SSERVER_IP_1",
                    "key": "IMKEYVALUE",
                    "last_checkin": "2023-04-30T11:26-0400",
                },
                {
                    "id": "SSERVER_ID_2",
                    "ip": "SSERVER_IP_2",
                    "key": "IMKEYVALUE",
                    "last_checkin": "2023-04-30T11:26-0400",
                },
            ]
        ),
        _EMPTY,
    ),
    ("GET", "/im/srv/remove.json"): (Sample(_IMUNIFY_SERVER),),
    ("GET", "/im/srv/convert.json"): (Sample(_IMUNIFY_SERVER),),
    ("GET", "/ipl/availability.json"): (Sample({"available": [1, 41, 42, 43, 49], "owned": [16]}),),
    ("GET", "/ipl/check.json"): (Sample([1, 16]), Sample([41]), Sample([])),
    ("GET", "/ipl/register.json"): (Sample(_IP_LICENSE),),
    ("GET", "/ipl/convert.json"): _TRUE_OR_FALSE,
    ("GET", "/ipl/remove.json"): _TRUE_OR_FALSE,
    ("GET", "/ipl/list.json"): (Sample([_IP_LICENSE]),),
    ("GET", "/ipl/server.json"): (
        Sample(
            [
                {
                    "server_info": "cloudlinux-release-5 (2.6.18-294.26.1.el5.lve0.8.18)",
                    "ip": "1.1.1.1",
                    "type": 1,
                    "registered": False,
                    "created": "2014-04-30T11:26-0400",
                    "last_checkin": "2014-04-30T11:26-0400",
                }
            ]
        ),
    ),
    ("GET", "/ipl/update.json"): _TRUE_OR_FALSE,
    ("GET", "/kcare/key/create.json"): (Sample("WsTs821nSAtiastD"),),  # in words; the key is that of other samples
    ("GET", "/kcare/key/delete.json"): _TRUE_OR_FALSE,
    ("GET", "/kcare/key/list.json"): (
        Sample(
            [
                {
                    "key": "WsTs821nSAtiastD",
                    "enabled": False,
                    "created": "2014-04-30T11:26-0400",
                    "limit": 2,
                    "note": "Some custom key note",
                }
            ]
        ),
        _EMPTY,
    ),
    ("GET", "/kcare/key/servers.json"): (
        Sample(
            [
                {
                    "server_id": "s096slnkaAtoiAsd",
                    "ip": "1.1.1.1",
                    "created": "2014-04-30T11:26-0400",
                    "last_checkin": "2023-04-30T11:26-0400",
                }
            ]
        ),
        _EMPTY,
    ),
    ("GET", "/kcare/key/set_cidr.json"): tuple(
        Sample({"code": code})
        for code in (0, 1, 2, 3)  # all but the first in words
    ),
    ("GET", "/kcare/srv/remove.json"): (
        Sample({"server_id": "", "key": ""}),
        Sample(None, message="Server not found"),
        Sample(None, message="Authorization failed", success=False),
    ),
    ("GET", "/kcare/nagios/register_key.plain"): (
        "success:true code:0",
        "success:false",
        "success:true code:1",  # in words, as is the next
        "success:true code:2",
        _PLAIN_ERROR,
    ),
    ("GET", "/kcare/nagios/{key}"): (_ALL_UP_TO_DATE,),
    ("GET", "/kcare/nagios-res/{login}/{token}"): (_ALL_UP_TO_DATE,),
    ("POST", "/group/create.json"): (Sample(_GROUP),),
    ("GET", "/group/list.json"): (Sample([_GROUP]),),
    ("GET", "/group/servers/list.json"): (Sample([_GROUP_SERVER]), _EMPTY),
    ("PUT", "/group/servers/put.json"): (Sample([_GROUP_SERVER, _GROUP_SERVER]),),
    ("DELETE", "/group/servers/remove.json"): (Sample([_GROUP_SERVER, _GROUP_SERVER]),),
    ("GET", "/cl/awp"): (
        Sample(
            [
                {"product": "AWP_PREMIUM", "primary_domain": "example1.com", "username": "test-user1"},
                {
                    "product": "AWP_CDN",
                    "primary_domain": "example2.com",
                    "username": "test-user2",
                    "cdn_limit_type": "50 GB",
                },
            ]
        ),
    ),
    ("GET", "/v2/cl/keys"): (Sample([_CLOUDLINUX_KEY]), _EMPTY),
    ("POST", "/v2/cl/keys"): (Sample(_CLOUDLINUX_KEY),),
    ("PATCH", "/v2/cl/keys"): (Sample(_CLOUDLINUX_KEY),),
    ("DELETE", "/v2/cl/keys"): (Sample({"key": "CLN7aa"}),),
    ("GET", "/v2/cl/servers"): (Sample([_CLOUDLINUX_SERVER]), _EMPTY),
    ("DELETE", "/v2/cl/servers"): (Sample(_CLOUDLINUX_SERVER),),
    ("GET", "/v2/cl/sub-account/servers"): (Sample([_SUB_ACCOUNT]),),
}
