"""Every command of clntool that queries CLN: its arguments, the calls it sends, and the effect of a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cln_monitor.masking import mask_key
from cln_monitor.simulator import Account

from .account import (
    CLOUDLINUX_KEY,
    ELS_KEY,
    EMAIL,
    IMUNIFY_KEY,
    KEY,
    LOGIN,
    MONITORING_KEY,
    MONTH,
    NEW_ELS,
    OTHER_IMUNIFY_KEY,
    OTHER_KEY,
)

Sent = tuple[str, str, dict[str, str]]


def get(path: str, **query: str) -> Sent:
    """Return a call that is a GET."""
    return "GET", path, query


@dataclass(frozen=True)
class Command:
    """A command as it is ``typed``."""

    typed: str

    @property
    def arguments(self) -> list[str]:
        """The arguments of the process."""
        return words(self.typed)


@dataclass(frozen=True)
class Read(Command):
    """A command that reads. ``sends``: its calls, in any order if they are concurrent."""

    sends: tuple[Sent, ...]
    shown: Any
    """The JSON output."""


@dataclass(frozen=True)
class Change(Command):
    """A command that changes something. ``made`` returns whether the account has the change."""

    sends: Sent
    has_change: Callable[[Account], bool]
    shown: Callable[[Account], Any]
    """The JSON output."""

    @property
    def arguments(self) -> list[str]:
        """The arguments of the process, with --yes."""
        return [*super().arguments, "--yes"]

    @property
    def without_yes(self) -> list[str]:
        """The arguments of the process, without --yes."""
        return super().arguments


def words(typed: str) -> list[str]:
    """Return the arguments of ``typed``; ``_%_`` is a blank within an argument."""
    return [word.replace("_%_", " ") for word in typed.split()]


_ISO = "2014-04-30T15:26:00Z"
_CHECKED_IN = "2023-04-30T15:26:00Z"
_GROUP_SERVER = {"server_id": "im-1", "hostname": "im1.example.net", "ip": "198.51.100.1", "type": "IMUNIFY"}
_FRESH = {"key": KEY, "server_id": "fresh", "ip": "192.0.2.1", "created": _ISO, "last_checkin": _CHECKED_IN}
_NEVER = {"key": KEY, "server_id": "never", "ip": "2001:db8::1", "created": _ISO, "last_checkin": None}
_IMUNIFY_SERVER = {"key": IMUNIFY_KEY, "server_id": "im-1", "ip": "198.51.100.1", "last_checkin": _CHECKED_IN}
_ELS_SERVER = {
    "server_id": "12345",
    "key": ELS_KEY,
    "ip": "1.1.1.1",
    "hostname": "test",
    "last_checkin": _CHECKED_IN,
}
_ELS = {"key": ELS_KEY, "mask": mask_key(ELS_KEY), "code": "CELS", "limit": 2, "note": "12"}
_IMUNIFY = {
    "key": IMUNIFY_KEY,
    "mask": mask_key(IMUNIFY_KEY),
    "code": "360_250",
    "limit": 2,
    "servers": 1,
    "note": "",
    "type": "",
}
LISTED_NOTE = "[red]x[/red]| [31mé クラウド"
_OS = {"ip": "192.0.2.1", "type": 1, "license": "CloudLinux OS", "registered": True, "created": _ISO}
_SINGLE = {"ip": "192.0.2.1", "type": 41, "license": "Imunify360 single user", "registered": False, "created": _ISO}
_NEW = {"ip": "2001:db8::9", "type": 5010, "license": "5010", "registered": False, "created": _ISO}
_NOBODY = {"last_checkin": None, "server_info": ""}
_PREMIUM = {"product": "AWP_PREMIUM", "primary_domain": "example1.com", "username": "user1", "cdn_limit_type": ""}
_CDN = {"product": "AWP_CDN", "primary_domain": "example2.com", "username": None, "cdn_limit_type": "50 GB"}
_FLAGS = ("db_clweb_connected", "db_clweb_online", "db_rhn_connected", "db_rhn_online", "ip_server_reg")


def _product(path: str, code: str) -> Sent:
    return get(path, code=code, productType=code)


_KERNELCARE_CALLS = (
    get("/kcare/key/list.json"),
    get("/kcare/key/servers.json", key=KEY),
    get("/kcare/key/servers.json", key=OTHER_KEY),
)
_IMUNIFY_CALLS = (
    get("/im/key/list.json"),
    get("/im/srv/list.json", key=IMUNIFY_KEY),
    get("/im/srv/list.json", key=OTHER_IMUNIFY_KEY),
)
_ELS_KEY_CALLS = tuple(_product("/els/key/list.json", code) for code in ("CELS", "OELS", NEW_ELS))
_ELS_SERVER_CALLS = tuple(_product("/els/srv/list.json", code) for code in ("CELS", "OELS", NEW_ELS))
_CLOUDLINUX_PRODUCTS = ("CL", "CLP", "CLS", "CLADMIN")
_CLOUDLINUX_KEY_CALLS = tuple(get("/v2/cl/keys", productType=product) for product in _CLOUDLINUX_PRODUCTS)
_CLOUDLINUX_SERVER_CALLS = tuple(get("/v2/cl/servers", productType=product) for product in _CLOUDLINUX_PRODUCTS)
_CLOUDLINUX = {
    "key": CLOUDLINUX_KEY,
    "mask": mask_key(CLOUDLINUX_KEY),
    "product": "CL",
    "limit": 12,
    "note": "web farm",
}
_CLOUDLINUX_SERVER = {
    "server_id": "40211",
    "key": CLOUDLINUX_KEY,
    "ip": "198.51.100.9",
    "hostname": "web9.example.net",
}
_GROUP_CALLS = (get("/group/list.json"), get("/group/servers/list.json", name="web"))
_LICENSE_CALLS = (get("/ipl/list.json"), get("/ipl/server.json", ip="192.0.2.1,2001:db8::9"))


def listed_server(product: str, id_: str | None, ip: str, key: str | None, **more: object) -> dict[str, object]:
    """Return a row of ``servers list``, of a server that never checked in unless ``more`` says otherwise."""
    return {
        "product": product,
        "account": "acme",
        "id": id_,
        "ip": ip,
        "hostname": None,
        "key": key,
        "mask": key and mask_key(key),
        "note": None,
        "last_checkin": None,
        "age_seconds": None,
        "checkin": "never",
        "superseded": False,
    } | more


_SEEN = {"last_checkin": _CHECKED_IN, "age_seconds": ..., "checkin": "stale"}
_LISTED = {
    "never": listed_server("kernelcare", "never", "2001:db8::1", KEY, note=LISTED_NOTE, hostname="web2.example.net"),
    "fresh": listed_server(
        "kernelcare", "fresh", "192.0.2.1", KEY, note=LISTED_NOTE, hostname="web1.example.net", **_SEEN
    ),
    "im-1": listed_server("imunify", "im-1", "198.51.100.1", IMUNIFY_KEY, hostname="im1.example.net", **_SEEN),
    "ip": listed_server(
        "ip_licenses", None, "192.0.2.1", None, note="CloudLinux OS", hostname="web1.example.net", **_SEEN
    ),
    "cloudlinux": listed_server(
        "cloudlinux",
        "40211",
        "198.51.100.9",
        CLOUDLINUX_KEY,
        hostname="web9.example.net",
        note="web farm",
        checkin="unknown",
    ),
    "els": listed_server("els", "12345", "1.1.1.1", ELS_KEY, hostname="test", note="12", **_SEEN),
}


def listed_key(product: str, key: str, **more: object) -> dict[str, object]:
    """Return a row of ``keys list``."""
    about = {"product": product, "account": "acme", "key": key, "mask": mask_key(key), "note": None, "enabled": None}
    return about | more


READS: dict[str, tuple[Read, ...]] = {
    "servers": (
        Read(
            "servers list",
            (
                *(*_KERNELCARE_CALLS, *_IMUNIFY_CALLS, *_ELS_KEY_CALLS, *_ELS_SERVER_CALLS),
                *(*_CLOUDLINUX_KEY_CALLS, *_CLOUDLINUX_SERVER_CALLS, *_GROUP_CALLS, *_LICENSE_CALLS),
                get(f"/kcare/nagios/{KEY}"),
            ),
            [_LISTED[name] for name in ("never", "fresh", "im-1", "els", "ip", "cloudlinux")],
        ),
        Read(
            "servers list --product imunify --sort hostname",
            (*_IMUNIFY_CALLS, *_GROUP_CALLS),
            [_LISTED["im-1"]],
        ),
        Read(
            f"servers list --key {mask_key(KEY)} --product kernelcare --sort ip",
            (*_KERNELCARE_CALLS, *_GROUP_CALLS, get(f"/kcare/nagios/{KEY}")),
            [_LISTED["fresh"], _LISTED["never"]],
        ),
        Read(
            "servers list --group web",
            (*_KERNELCARE_CALLS, *_IMUNIFY_CALLS, *_GROUP_CALLS, _GROUP_CALLS[1]),
            [_LISTED["im-1"]],
        ),
        Read(
            "servers list --never --product kernelcare",
            (*_KERNELCARE_CALLS, *_GROUP_CALLS, get(f"/kcare/nagios/{KEY}")),
            [_LISTED["never"]],
        ),
    ),
    "keys": (
        Read(
            "keys list",
            (
                *(*_KERNELCARE_CALLS, _IMUNIFY_CALLS[0], *_ELS_KEY_CALLS, *_ELS_SERVER_CALLS),
                *(*_CLOUDLINUX_KEY_CALLS, *_CLOUDLINUX_SERVER_CALLS),
            ),
            [
                listed_key("kernelcare", KEY, note=LISTED_NOTE, enabled=True, used=2, limit=4, percent=50.0),
                listed_key("kernelcare", OTHER_KEY, note="", enabled=False, used=0, limit=0, percent=None),
                listed_key("imunify", IMUNIFY_KEY, used=1, limit=2, percent=50.0),
                listed_key("imunify", OTHER_IMUNIFY_KEY, used=0, limit=0, percent=None),
                listed_key("els", ELS_KEY, note="12", used=1, limit=2, percent=50.0),
                listed_key("cloudlinux", CLOUDLINUX_KEY, note="web farm", used=1, limit=12, percent=8.3),
            ],
        ),
        Read(
            "keys list --product kernelcare --usage 50%",
            _KERNELCARE_CALLS,
            [listed_key("kernelcare", KEY, note=LISTED_NOTE, enabled=True, used=2, limit=4, percent=50.0)],
        ),
        Read("keys list --product cloudlinux --full", (*_CLOUDLINUX_KEY_CALLS, *_CLOUDLINUX_SERVER_CALLS), []),
        Read("keys list --product els --full", (*_ELS_KEY_CALLS, *_ELS_SERVER_CALLS), []),
    ),
    "status": (
        Read(
            "status",
            (get("/status.json"),),
            [
                *({"flag": flag, "value": True, "good": True} for flag in _FLAGS),
                *({"flag": flag, "value": False, "good": True} for flag in ("rhn_overloaded", "rhn_queue_full")),
                {"flag": "xmlrpc", "value": True, "good": True},
            ],
        ),
    ),
    "kernelcare": (
        Read(
            "kernelcare keys list",
            _KERNELCARE_CALLS,
            [
                {
                    "key": KEY,
                    "mask": mask_key(KEY),
                    "enabled": True,
                    "used": 2,
                    "limit": 4,
                    "note": LISTED_NOTE,
                    "created": _ISO,
                },
                {
                    "key": OTHER_KEY,
                    "mask": mask_key(OTHER_KEY),
                    "enabled": False,
                    "used": 0,
                    "limit": 0,
                    "note": "",
                    "created": _ISO,
                },
            ],
        ),
        Read(
            "kernelcare servers list",
            _KERNELCARE_CALLS,
            [_FRESH, _NEVER],
        ),
        Read(f"kernelcare servers list --key {KEY}", (get("/kcare/key/servers.json", key=KEY),), [_FRESH, _NEVER]),
        Read(
            f"kernelcare patch-status --key {KEY}",
            (get(f"/kcare/nagios/{KEY}"),),
            {
                "ok": False,
                "uptodate": 0,
                "outofdate": 0,
                "unsupported": 0,
                "inactive": 2,
                "hosts": [
                    {"host": "web1.example.net", "ip": "192.0.2.1", "state": "inactive"},
                    {"host": "web2.example.net", "ip": "2001:db8::1", "state": "inactive"},
                ],
            },
        ),
        Read(
            "kernelcare patch-status --reseller",
            (get(f"/kcare/nagios-res/{LOGIN}/{{token}}"),),
            {"ok": False, "uptodate": 0, "outofdate": 0, "unsupported": 0, "inactive": 2, "hosts": []},
        ),
    ),
    "imunify": (
        Read(
            "imunify keys list",
            (get("/im/key/list.json"),),
            [
                _IMUNIFY,
                {
                    "key": OTHER_IMUNIFY_KEY,
                    "mask": mask_key(OTHER_IMUNIFY_KEY),
                    "code": "360_UN",
                    "limit": 0,
                    "servers": 0,
                    "note": "",
                    "type": "",
                },
            ],
        ),
        Read(
            "imunify servers list",
            _IMUNIFY_CALLS,
            [_IMUNIFY_SERVER],
        ),
        Read(
            f"imunify servers list --key {IMUNIFY_KEY}", (get("/im/srv/list.json", key=IMUNIFY_KEY),), [_IMUNIFY_SERVER]
        ),
    ),
    "cloudlinux": (
        Read("cloudlinux keys list", _CLOUDLINUX_KEY_CALLS, [_CLOUDLINUX]),
        Read("cloudlinux keys list --product cl", (get("/v2/cl/keys", productType="CL"),), [_CLOUDLINUX]),
        Read("cloudlinux servers list", _CLOUDLINUX_SERVER_CALLS, [_CLOUDLINUX_SERVER]),
        Read("cloudlinux servers list --product CLADMIN", (get("/v2/cl/servers", productType="CLADMIN"),), []),
    ),
    "sub-accounts": (
        Read(
            "sub-accounts list",
            (get("/v2/cl/sub-account/servers"),),
            [
                {
                    "login": "reseller7",
                    "server_id": "40211",
                    "key": CLOUDLINUX_KEY,
                    "version": 9,
                    "ip": "198.51.100.9",
                },
                {
                    "login": mask_key(EMAIL),
                    "server_id": "40212",
                    "key": CLOUDLINUX_KEY,
                    "version": 8,
                    "ip": "198.51.100.10",
                },
            ],
        ),
    ),
    "els": (
        Read(
            "els keys list",
            _ELS_KEY_CALLS,
            [_ELS],
        ),
        Read("els keys list --code CELS", (_product("/els/key/list.json", "CELS"),), [_ELS]),
        Read(
            "els servers list",
            _ELS_SERVER_CALLS,
            [_ELS_SERVER],
        ),
        Read(f"els servers list --code {NEW_ELS.replace(' ', '_%_')}", (_product("/els/srv/list.json", NEW_ELS),), []),
    ),
    "ip-licenses": (
        Read("ip-licenses list", (get("/ipl/list.json"),), [_OS, _SINGLE, _NEW]),
        Read("ip-licenses list --unused", (get("/ipl/list.json"),), [_SINGLE, _NEW]),
        Read(
            "ip-licenses servers 192.0.2.1 2001:db8::9",
            (get("/ipl/server.json", ip="192.0.2.1,2001:db8::9"),),
            [
                _OS | {"last_checkin": _CHECKED_IN, "server_info": "release-8"},
                _SINGLE | _NOBODY,
                _NEW | _NOBODY,
            ],
        ),
        Read(
            "ip-licenses availability 192.0.2.1",
            (get("/ipl/availability.json", ip="192.0.2.1"),),
            {"available": [4, 5, 1002, 16, 17, 40, 42, 43, 49], "owned": [1, 41]},
        ),
        Read(
            "ip-licenses check 2001:DB8:0::9",
            (get("/ipl/check.json", ip="2001:db8::9"),),
            [{"type": 5010, "license": "5010"}],
        ),
    ),
    "groups": (
        Read("groups list", (get("/group/list.json"),), [{"name": "web", "description": "all that must be up"}]),
        Read("groups servers list web", (get("/group/servers/list.json", name="web"),), [_GROUP_SERVER]),
    ),
    "awp": (
        Read(
            f"awp usage --month {MONTH}",
            (get("/cl/awp", products="AWP_PREMIUM,AWP_CDN", yearMonth=MONTH),),
            [_PREMIUM, _CDN],
        ),
        Read(
            f"awp usage --month {MONTH} --product AWP_CDN",
            (get("/cl/awp", products="AWP_CDN", yearMonth=MONTH),),
            [_CDN],
        ),
    ),
}


def _last(keys: Iterable[Any]) -> Any:
    return list(keys)[-1]


CHANGES: dict[str, tuple[Change, ...]] = {
    "kernelcare": (
        Change(
            "kernelcare keys create --limit 3 --note クラウド_%_&",
            get("/kcare/key/create.json", limit="3", note="クラウド &"),
            lambda account: (len(account.kernelcare_keys), _last(account.kernelcare_keys.values()).limit) == (3, 3),
            lambda account: {"key": _last(account.kernelcare_keys)},
        ),
        Change(
            f"kernelcare keys delete {KEY}",
            get("/kcare/key/delete.json", key=KEY),
            lambda account: KEY not in account.kernelcare_keys,
            lambda _: {"done": True, "key": KEY},
        ),
        Change(
            f"kernelcare keys set-cidr {KEY} 192.0.2.0/24 2001:DB8::/32",
            get("/kcare/key/set_cidr.json", key=KEY, cidr="192.0.2.0/24,2001:db8::/32"),
            lambda account: account.kernelcare_keys[KEY].cidrs == ["192.0.2.0/24", "2001:db8::/32"],
            lambda _: {"done": True, "key": KEY, "cidrs": ["192.0.2.0/24", "2001:DB8::/32"]},
        ),
        Change(
            "kernelcare servers remove fresh",
            get("/kcare/srv/remove.json", server_id="fresh"),
            lambda account: [*account.kernelcare_keys[KEY].servers] == ["never"],
            lambda _: {"done": True, "server_id": "fresh", "key": KEY},
        ),
        Change(
            f"kernelcare monitoring-key register {MONITORING_KEY}",
            get("/kcare/nagios/register_key.plain", key=MONITORING_KEY),
            lambda account: MONITORING_KEY in account.monitoring_keys,
            lambda _: {"done": True, "key": MONITORING_KEY},
        ),
    ),
    "imunify": (
        Change(
            "imunify keys create --code 360_30 --limit 0 --note x",
            get("/im/key/create.json", code="360_30", limit="0", note="x"),
            lambda account: [key.code for key in account.imunify_keys.values()] == ["360_250", "360_UN", "360_30"],
            lambda account: {
                "key": (key := _last(account.imunify_keys)),
                "mask": mask_key(key),
                "code": "360_30",
                "limit": 0,
                "servers": None,
                "note": "",
                "type": "",
            },
        ),
        Change(
            f"imunify keys update {IMUNIFY_KEY} --limit 9",
            get("/im/key/update.json", key=IMUNIFY_KEY, limit="9"),
            lambda account: account.imunify_keys[IMUNIFY_KEY].limit == 9,
            lambda _: _IMUNIFY | {"limit": 9},
        ),
        Change(
            f"imunify keys remove {IMUNIFY_KEY}",
            get("/im/key/remove.json", key=IMUNIFY_KEY),
            lambda account: IMUNIFY_KEY not in account.imunify_keys,
            lambda _: [{"key": IMUNIFY_KEY, "server_id": "im-1"}],
        ),
        Change(
            "imunify servers remove im-1",
            get("/im/srv/remove.json", id="im-1"),
            lambda account: not account.imunify_keys[IMUNIFY_KEY].servers,
            lambda _: {"done": True, "server_id": "im-1", "key": IMUNIFY_KEY},
        ),
        Change(
            f"imunify servers convert im-1 {OTHER_IMUNIFY_KEY}",
            get("/im/srv/convert.json", id="im-1", key=OTHER_IMUNIFY_KEY),
            lambda account: "im-1" in account.imunify_keys[OTHER_IMUNIFY_KEY].servers,
            lambda _: {"done": True, "server_id": "im-1", "key": OTHER_IMUNIFY_KEY},
        ),
    ),
    "els": (
        Change(
            "els keys create --code PHP_ELS --limit 5 --note x",
            (
                "POST",
                "/els/key/create.json",
                {"code": "PHP_ELS", "productType": "PHP_ELS", "limit": "5", "note": "x"},
            ),
            lambda account: [key.code for key in account.els_keys.values()] == ["CELS", "PHP_ELS"],
            lambda account: {
                "key": (key := _last(account.els_keys)),
                "mask": mask_key(key),
                "code": "PHP_ELS",
                "limit": 5,
                "note": "x",
            },
        ),
        Change(
            f"els keys update {ELS_KEY} --note new",
            ("PUT", "/els/key/update.json", {"key": ELS_KEY, "note": "new"}),
            lambda account: account.els_keys[ELS_KEY].note == "new",
            lambda _: _ELS | {"note": "new"},
        ),
        Change(
            f"els keys remove {ELS_KEY}",
            ("DELETE", "/els/key/remove.json", {"key": ELS_KEY}),
            lambda account: ELS_KEY not in account.els_keys,
            lambda _: [{"server_id": "", "key": ELS_KEY, "ip": "", "hostname": ""}],
        ),
        Change(
            "els servers remove 12345",
            ("DELETE", "/els/srv/remove.json", {"id": "12345"}),
            lambda account: not account.els_keys[ELS_KEY].servers,
            lambda _: {"done": True, **_ELS_SERVER},
        ),
    ),
    "ip-licenses": (
        Change(
            "ip-licenses register 192.0.2.7 --type 16 --els-allowed",
            get("/ipl/register.json", ip="192.0.2.7", type="16", els_allowed="true"),
            lambda account: ("192.0.2.7", 16) in account.ip_licenses,
            lambda _: {"ip": "192.0.2.7", "type": 16, "license": "KernelCare", "registered": False, "created": ...},
        ),
        Change(
            "ip-licenses convert 192.0.2.1 --type 41 --type-to 43",
            get("/ipl/convert.json", ip="192.0.2.1", type="41", type_to="43"),
            lambda account: ("192.0.2.1", 43) in account.ip_licenses,
            lambda _: {"done": True, "ip": "192.0.2.1", "type": 43},
        ),
        Change(
            "ip-licenses remove 192.0.2.1 --type 1",
            get("/ipl/remove.json", ip="192.0.2.1", type="1"),
            lambda account: ("192.0.2.1", 1) not in account.ip_licenses,
            lambda _: {"done": True, "ip": "192.0.2.1", "type": 1},
        ),
        Change(
            "ip-licenses remove 192.0.2.1",
            get("/ipl/remove.json", ip="192.0.2.1"),
            lambda account: [*account.ip_licenses] == [("2001:db8::9", 5010)],
            lambda _: {"done": True, "ip": "192.0.2.1", "type": None},
        ),
        Change(
            "ip-licenses update 192.0.2.1 --type 1 --els-allowed",
            get("/ipl/update.json", ip="192.0.2.1", els_allowed="true", type="1"),
            lambda account: account.ip_licenses["192.0.2.1", 1].els_allowed,
            lambda _: {"done": True, "ip": "192.0.2.1", "type": 1, "els_allowed": True},
        ),
    ),
    "cloudlinux": (
        Change(
            "cloudlinux keys create --product CLS --limit 5 --note x",
            ("POST", "/v2/cl/keys", {"limit": "5", "productType": "CLS", "note": "x"}),
            lambda account: [key.product_type for key in account.cloudlinux_keys.values()] == ["CL", "CLS"],
            lambda account: {
                "key": (key := _last(account.cloudlinux_keys)),
                "mask": mask_key(key),
                "product": "CLS",
                "limit": 5,
                "note": "x",
            },
        ),
        Change(
            f"cloudlinux keys update {CLOUDLINUX_KEY} --limit 20",
            ("PATCH", "/v2/cl/keys", {"key": CLOUDLINUX_KEY, "limit": "20"}),
            lambda account: account.cloudlinux_keys[CLOUDLINUX_KEY].limit == 20,
            lambda _: _CLOUDLINUX | {"limit": 20},
        ),
        Change(
            "cloudlinux servers remove 40211",
            ("DELETE", "/v2/cl/servers", {"id": "40211"}),
            lambda account: not account.cloudlinux_keys[CLOUDLINUX_KEY].servers,
            lambda _: {"done": True, "server_id": "40211", "key": CLOUDLINUX_KEY},
        ),
        Change(
            f"cloudlinux keys remove {CLOUDLINUX_KEY}",
            ("DELETE", "/v2/cl/keys", {"key": CLOUDLINUX_KEY}),
            lambda account: CLOUDLINUX_KEY not in account.cloudlinux_keys,
            lambda _: {"done": True, "key": CLOUDLINUX_KEY},
        ),
    ),
    "groups": (
        Change(
            "groups create Köln_%_& --description x",
            ("POST", "/group/create.json", {"name": "Köln &", "description": "x"}),
            lambda account: "Köln &" in account.groups,
            lambda _: {"name": "Köln &", "description": "x"},
        ),
        Change(
            "groups servers add web fresh never",
            ("PUT", "/group/servers/put.json", {"name": "web", "server_ids": "fresh,never"}),
            lambda account: len(account.groups["web"].servers) == 3,
            lambda _: [
                {"server_id": "fresh", "hostname": "web1.example.net", "ip": "192.0.2.1", "type": "KERNELCARE"},
                {"server_id": "never", "hostname": "web2.example.net", "ip": "2001:db8::1", "type": "KERNELCARE"},
            ],
        ),
        Change(
            "groups servers remove web im-1",
            ("DELETE", "/group/servers/remove.json", {"name": "web", "server_ids": "im-1"}),
            lambda account: not account.groups["web"].servers,
            lambda _: [_GROUP_SERVER],
        ),
    ),
}

_EPORTAL_CALLS = (get("/servers"), get("/{kernel_id}/{level}/kpatch.info"), get("/{kernel_id}/latest.v2"))
"""Those to the ePortal, and the other two to the patch server."""

OF_THEIR_OWN: dict[str, tuple[Sent, ...]] = {
    "eportal servers list": _EPORTAL_CALLS,
    "cve": _EPORTAL_CALLS,
    "servers prune": (
        get("/status.json"),
        *_KERNELCARE_CALLS,
        *_IMUNIFY_CALLS,
        *_ELS_KEY_CALLS,
        *_ELS_SERVER_CALLS,
        *_GROUP_CALLS,
        get("/kcare/srv/remove.json"),
        get("/im/srv/remove.json"),
        ("DELETE", "/els/srv/remove.json", {}),
    ),
    "check account": (
        get("/status.json"),
        *_KERNELCARE_CALLS,
        *_IMUNIFY_CALLS,
        get(f"/kcare/nagios/{KEY}"),
        get(f"/kcare/nagios-res/{LOGIN}/{{token}}"),
        *_LICENSE_CALLS,
        *_ELS_KEY_CALLS,
        *_ELS_SERVER_CALLS,
        *_GROUP_CALLS,
        get("/cl/awp"),
        *_CLOUDLINUX_KEY_CALLS,
        *_CLOUDLINUX_SERVER_CALLS,
    ),
}
"""Commands with their own test modules, and their calls: they are neither a simple read nor a simple change."""

ALL_READS = [read for family in READS.values() for read in family]
ALL_CHANGES = [change for family in CHANGES.values() for change in family]
ALL: list[Command] = [*ALL_READS, *ALL_CHANGES]


def typed(command: Command) -> str:
    """Return the name of a case: what is typed."""
    return command.typed


def without_ages(shown: Any) -> Any:
    """Return what a script reads, with an ellipsis for each age, which grows while the test runs."""
    if not isinstance(shown, list):
        return shown
    return [{name: ... if name == "age_seconds" and value else value for name, value in row.items()} for row in shown]
