"""The calls of the API document, written by hand: which method and which command sends each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from cln_monitor.cln import Client
from cln_monitor.simulator import REVISIONS
from tests.cli.account import CLOUDLINUX_KEY, ELS_KEY, IMUNIFY_KEY, KEY, MONITORING_KEY, MONTH, OTHER_IMUNIFY_KEY


class Call(NamedTuple):
    """A call: its ``method`` and ``path``, the ``client`` method for it, and the ``command`` of clntool.

    ``make`` sends it with typical arguments. ``older`` is the method in 2024-03 if it was another one.
    """

    method: str
    path: str
    client: str
    command: str
    make: Callable[[Client], object]
    older: str = ""

    def is_one(self, method: str, path: str) -> bool:
        """Return whether a request is this call, in any revision."""
        form = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(self.path))
        return method in {self.method, self.older} and re.fullmatch(form, path) is not None

    @property
    def is_of_v2(self) -> bool:
        """Whether only the newer revision has it."""
        return self.path.startswith("/v2/")

    def in_revision(self, revision: str) -> tuple[str, str]:
        """Return method and path in a revision of the document."""
        return (self.older or self.method) if revision == REVISIONS[0] else self.method, self.path


CALLS = (
    Call("GET", "/status.json", "status.flags", "status", lambda client: client.status.flags()),
    Call("GET", "/status.plain", "status.flags", "status", lambda client: client.status.flags()),
    Call("POST", "/els/key/create.json", "els.create_key", "els keys create",
         lambda client: client.els.create_key("PHP_ELS", 2, "12"), "GET"),
    Call("PUT", "/els/key/update.json", "els.update_key", "els keys update",
         lambda client: client.els.update_key(ELS_KEY, 4, "321"), "GET"),
    Call("DELETE", "/els/key/remove.json", "els.remove_key", "els keys remove",
         lambda client: client.els.remove_key(ELS_KEY), "GET"),
    Call("GET", "/els/key/list.json", "els.keys", "els keys list", lambda client: client.els.keys("CELS")),
    Call("GET", "/els/srv/list.json", "els.servers", "els servers list", lambda client: client.els.servers("CELS")),
    Call("DELETE", "/els/srv/remove.json", "els.remove_server", "els servers remove",
         lambda client: client.els.remove_server("12345"), "GET"),
    Call("GET", "/im/key/create.json", "imunify.create_key", "imunify keys create",
         lambda client: client.imunify.create_key("360_1", 2, "x")),
    Call("GET", "/im/key/update.json", "imunify.update_key", "imunify keys update",
         lambda client: client.imunify.update_key(IMUNIFY_KEY, 2)),
    Call("GET", "/im/key/remove.json", "imunify.remove_key", "imunify keys remove",
         lambda client: client.imunify.remove_key(IMUNIFY_KEY)),
    Call("GET", "/im/key/list.json", "imunify.keys", "imunify keys list", lambda client: client.imunify.keys()),
    Call("GET", "/im/srv/list.json", "imunify.servers", "imunify servers list",
         lambda client: client.imunify.servers(IMUNIFY_KEY)),
    Call("GET", "/im/srv/remove.json", "imunify.remove_server", "imunify servers remove",
         lambda client: client.imunify.remove_server("im-1")),
    Call("GET", "/im/srv/convert.json", "imunify.convert_server", "imunify servers convert",
         lambda client: client.imunify.convert_server("im-1", OTHER_IMUNIFY_KEY)),
    Call("GET", "/ipl/availability.json", "ip_licenses.availability", "ip-licenses availability",
         lambda client: client.ip_licenses.availability("192.0.2.1")),
    Call("GET", "/ipl/check.json", "ip_licenses.check", "ip-licenses check",
         lambda client: client.ip_licenses.check("192.0.2.1")),
    Call("GET", "/ipl/register.json", "ip_licenses.register", "ip-licenses register",
         lambda client: client.ip_licenses.register("192.0.2.7", 16, els_allowed=True)),
    Call("GET", "/ipl/convert.json", "ip_licenses.convert", "ip-licenses convert",
         lambda client: client.ip_licenses.convert("192.0.2.1", 41, 43)),
    Call("GET", "/ipl/remove.json", "ip_licenses.remove", "ip-licenses remove",
         lambda client: client.ip_licenses.remove("192.0.2.1", 1)),
    Call("GET", "/ipl/list.json", "ip_licenses.licenses", "ip-licenses list",
         lambda client: client.ip_licenses.licenses()),
    Call("GET", "/ipl/server.json", "ip_licenses.servers", "ip-licenses servers",
         lambda client: client.ip_licenses.servers(["192.0.2.1", "2001:db8::9"])),
    Call("GET", "/ipl/update.json", "ip_licenses.update", "ip-licenses update",
         lambda client: client.ip_licenses.update("192.0.2.1", els_allowed=True, type=1)),
    Call("GET", "/kcare/key/create.json", "kernelcare.create_key", "kernelcare keys create",
         lambda client: client.kernelcare.create_key(2, "Key description")),
    Call("GET", "/kcare/key/delete.json", "kernelcare.delete_key", "kernelcare keys delete",
         lambda client: client.kernelcare.delete_key(KEY)),
    Call("GET", "/kcare/key/list.json", "kernelcare.keys", "kernelcare keys list",
         lambda client: client.kernelcare.keys()),
    Call("GET", "/kcare/key/servers.json", "kernelcare.servers", "kernelcare servers list",
         lambda client: client.kernelcare.servers(KEY)),
    Call("GET", "/kcare/key/set_cidr.json", "kernelcare.set_cidrs", "kernelcare keys set-cidr",
         lambda client: client.kernelcare.set_cidrs(KEY, ["192.0.2.0/24", "2001:db8::/32"])),
    Call("GET", "/kcare/srv/remove.json", "kernelcare.remove_server", "kernelcare servers remove",
         lambda client: client.kernelcare.remove_server("fresh")),
    Call("GET", "/kcare/nagios/register_key.plain", "monitoring_keys.register", "kernelcare monitoring-key register",
         lambda client: client.monitoring_keys.register(MONITORING_KEY)),
    Call("GET", "/kcare/nagios/{key}", "patch_status.for_key", "kernelcare patch-status --key",
         lambda client: client.patch_status.for_key(KEY)),
    Call("GET", "/kcare/nagios-res/{login}/{token}", "patch_status.for_reseller", "kernelcare patch-status --reseller",
         lambda client: client.patch_status.for_reseller()),
    Call("POST", "/group/create.json", "groups.create", "groups create",
         lambda client: client.groups.create("NAME", "DESCRIPTION")),
    Call("GET", "/group/list.json", "groups.groups", "groups list", lambda client: client.groups.groups()),
    Call("GET", "/group/servers/list.json", "groups.servers", "groups servers list",
         lambda client: client.groups.servers("web")),
    Call("PUT", "/group/servers/put.json", "groups.add_servers", "groups servers add",
         lambda client: client.groups.add_servers("web", ["fresh", "never"])),
    Call("DELETE", "/group/servers/remove.json", "groups.remove_servers", "groups servers remove",
         lambda client: client.groups.remove_servers("web", ["im-1"])),
    Call("GET", "/cl/awp", "awp.usage", "awp usage", lambda client: client.awp.usage(MONTH)),
    Call("GET", "/v2/cl/keys", "cloudlinux.keys", "cloudlinux keys list",
         lambda client: client.cloudlinux.keys("CL")),
    Call("POST", "/v2/cl/keys", "cloudlinux.create_key", "cloudlinux keys create",
         lambda client: client.cloudlinux.create_key("CLS", 2, "x")),
    Call("PATCH", "/v2/cl/keys", "cloudlinux.update_key", "cloudlinux keys update",
         lambda client: client.cloudlinux.update_key(CLOUDLINUX_KEY, 9)),
    Call("DELETE", "/v2/cl/keys", "cloudlinux.remove_key", "cloudlinux keys remove",
         lambda client: client.cloudlinux.remove_key(CLOUDLINUX_KEY)),
    Call("GET", "/v2/cl/servers", "cloudlinux.servers", "cloudlinux servers list",
         lambda client: client.cloudlinux.servers("CL")),
    Call("DELETE", "/v2/cl/servers", "cloudlinux.remove_server", "cloudlinux servers remove",
         lambda client: client.cloudlinux.remove_server("40211")),
    Call("GET", "/v2/cl/sub-account/servers", "cloudlinux.sub_account_servers", "sub-accounts list",
         lambda client: client.cloudlinux.sub_account_servers()),
)  # fmt: skip
"""All of them, in the order of the document."""


def call_of(method: str, path: str) -> Call:
    """Return the call of a request; the first match, as a key must not be taken for the name of another call."""
    return next(call for call in CALLS if call.is_one(method, path))
