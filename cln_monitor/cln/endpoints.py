"""The endpoints of the API document, by their path below the API root and method."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from .validation import InvalidArgumentError

_METHODS = ("GET", "POST", "PUT", "DELETE")  # GET first, as in the revision of 2024-03; PATCH is of /v2 alone
# As a key or a login these would give the path of another call; the last one is a call that changes something.
_OTHER_PATHS = frozenset({"", ".", "..", "register_key.plain"})


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint. ``template`` is its path, with path parameters as ``{name}``; other arguments are query parameters.

    The document uses query parameters for POST, PUT and DELETE as well. ``is_named_by_path``: the path alone says what
    the call does, and revisions of the document differ in the method. Below ``/v2`` this is never so: there a path has
    several calls, which differ only in the method. Raises ValueError for such an endpoint.
    """

    template: str
    method: str = "GET"
    is_named_by_path: bool = False

    def __post_init__(self) -> None:
        if self.is_named_by_path and self.is_below_v2:
            raise ValueError(f"{self.template}: below /v2 the method says what a call does")

    @property
    def is_below_v2(self) -> bool:
        """Whether it is of the second version of the API, which an older CLN and the TuxCare portal do not have."""
        return self.template.startswith("/v2/")

    def with_method(self, method: str) -> Endpoint:
        """Return this endpoint as sent with another ``method``."""
        return msgspec.structs.replace(self, method=method)

    def other_method(self, sent: str, allow: str) -> str | None:
        """Return the method to send the call with instead of ``sent``, which CLN does not allow, or None.

        ``allow`` is the header ``Allow`` of the response with HTTP status 405 (RFC 9110, section 10.2.1).
        """
        if not self.is_named_by_path:
            return None
        allowed = {method.strip().upper() for method in allow.split(",")} - {sent}
        return next((method for method in _METHODS if method in allowed), None)

    def path(self, **arguments: str) -> str:
        """Return the path with percent-encoded ``arguments``.

        Raises InvalidArgumentError for an argument that would give the path of another call.
        """
        for name, value in arguments.items():
            if value in _OTHER_PATHS:
                raise InvalidArgumentError(name, "not allowed: it would give the path of another call")
        quoted = {name: quote(value, safe="", errors="replace") for name, value in arguments.items()}
        return self.template.format_map(quoted)


STATUS_JSON = Endpoint("/status.json")
STATUS_PLAIN = Endpoint("/status.plain")
KERNELCARE_KEYS = Endpoint("/kcare/key/list.json")
KERNELCARE_SERVERS = Endpoint("/kcare/key/servers.json")
IMUNIFY_KEYS = Endpoint("/im/key/list.json")
IMUNIFY_SERVERS = Endpoint("/im/srv/list.json")
ELS_KEYS = Endpoint("/els/key/list.json")
ELS_SERVERS = Endpoint("/els/srv/list.json")
IP_LICENSES = Endpoint("/ipl/list.json")
IP_LICENSE_SERVERS = Endpoint("/ipl/server.json")
IP_LICENSE_AVAILABILITY = Endpoint("/ipl/availability.json")
IP_LICENSE_CHECK = Endpoint("/ipl/check.json")
PATCH_STATUS_OF_KEY = Endpoint("/kcare/nagios/{key}")
PATCH_STATUS_OF_RESELLER = Endpoint("/kcare/nagios-res/{login}/{token}")
GROUPS = Endpoint("/group/list.json")
GROUP_SERVERS = Endpoint("/group/servers/list.json")
AWP_USAGE = Endpoint("/cl/awp")
CLOUDLINUX_KEYS = Endpoint("/v2/cl/keys")
CLOUDLINUX_SERVERS = Endpoint("/v2/cl/servers")
SUB_ACCOUNT_SERVERS = Endpoint("/v2/cl/sub-account/servers")

READS = frozenset(
    {
        STATUS_JSON,
        STATUS_PLAIN,
        KERNELCARE_KEYS,
        KERNELCARE_SERVERS,
        IMUNIFY_KEYS,
        IMUNIFY_SERVERS,
        ELS_KEYS,
        ELS_SERVERS,
        IP_LICENSES,
        IP_LICENSE_SERVERS,
        IP_LICENSE_AVAILABILITY,
        IP_LICENSE_CHECK,
        PATCH_STATUS_OF_KEY,
        PATCH_STATUS_OF_RESELLER,
        GROUPS,
        GROUP_SERVERS,
        AWP_USAGE,
        CLOUDLINUX_KEYS,
        CLOUDLINUX_SERVERS,
        SUB_ACCOUNT_SERVERS,
    }
)
"""All calls that monitoring may send, by path and method. All are GETs, but not each GET is a read."""

KERNELCARE_KEY_CREATE = Endpoint("/kcare/key/create.json")
KERNELCARE_KEY_DELETE = Endpoint("/kcare/key/delete.json")
KERNELCARE_SET_CIDR = Endpoint("/kcare/key/set_cidr.json")
KERNELCARE_SERVER_REMOVE = Endpoint("/kcare/srv/remove.json")
IMUNIFY_KEY_CREATE = Endpoint("/im/key/create.json")
IMUNIFY_KEY_UPDATE = Endpoint("/im/key/update.json")
IMUNIFY_KEY_REMOVE = Endpoint("/im/key/remove.json")
IMUNIFY_SERVER_REMOVE = Endpoint("/im/srv/remove.json")
IMUNIFY_SERVER_CONVERT = Endpoint("/im/srv/convert.json")
ELS_KEY_CREATE = Endpoint("/els/key/create.json", "POST", is_named_by_path=True)
ELS_KEY_UPDATE = Endpoint("/els/key/update.json", "PUT", is_named_by_path=True)
ELS_KEY_REMOVE = Endpoint("/els/key/remove.json", "DELETE", is_named_by_path=True)
ELS_SERVER_REMOVE = Endpoint("/els/srv/remove.json", "DELETE", is_named_by_path=True)
IP_LICENSE_REGISTER = Endpoint("/ipl/register.json")
IP_LICENSE_CONVERT = Endpoint("/ipl/convert.json")
IP_LICENSE_REMOVE = Endpoint("/ipl/remove.json")
IP_LICENSE_UPDATE = Endpoint("/ipl/update.json")
GROUP_CREATE = Endpoint("/group/create.json", "POST")
GROUP_SERVERS_PUT = Endpoint("/group/servers/put.json", "PUT")
GROUP_SERVERS_REMOVE = Endpoint("/group/servers/remove.json", "DELETE")
CLOUDLINUX_KEY_CREATE = Endpoint("/v2/cl/keys", "POST")
CLOUDLINUX_KEY_UPDATE = Endpoint("/v2/cl/keys", "PATCH")
CLOUDLINUX_KEY_REMOVE = Endpoint("/v2/cl/keys", "DELETE")
CLOUDLINUX_SERVER_REMOVE = Endpoint("/v2/cl/servers", "DELETE")
REGISTER_MONITORING_KEY = Endpoint("/kcare/nagios/register_key.plain")

WRITES = frozenset(
    {
        KERNELCARE_KEY_CREATE,
        KERNELCARE_KEY_DELETE,
        KERNELCARE_SET_CIDR,
        KERNELCARE_SERVER_REMOVE,
        IMUNIFY_KEY_CREATE,
        IMUNIFY_KEY_UPDATE,
        IMUNIFY_KEY_REMOVE,
        IMUNIFY_SERVER_REMOVE,
        IMUNIFY_SERVER_CONVERT,
        ELS_KEY_CREATE,
        ELS_KEY_UPDATE,
        ELS_KEY_REMOVE,
        ELS_SERVER_REMOVE,
        IP_LICENSE_REGISTER,
        IP_LICENSE_CONVERT,
        IP_LICENSE_REMOVE,
        IP_LICENSE_UPDATE,
        GROUP_CREATE,
        GROUP_SERVERS_PUT,
        GROUP_SERVERS_REMOVE,
        CLOUDLINUX_KEY_CREATE,
        CLOUDLINUX_KEY_UPDATE,
        CLOUDLINUX_KEY_REMOVE,
        CLOUDLINUX_SERVER_REMOVE,
        REGISTER_MONITORING_KEY,
    }
)
"""The calls that change something at CLN: sent once, only by :class:`Client`, never by a probe."""
