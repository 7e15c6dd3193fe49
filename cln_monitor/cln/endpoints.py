"""The calls of the API document, by their path below the API root."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from .errors import Refused

# In the place of a key or a login these would make the path that of another call, the last one of a call that writes.
_OTHER_PATHS = frozenset({"", ".", "..", "register_key.plain"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call. ``template`` is its path, with the arguments that stand in it as ``{name}``."""

    template: str

    def path(self, **arguments: str) -> str:
        """Return the path with percent-encoded ``arguments`` in their places.

        Raises Refused for an argument that would make it the path of another call.
        """
        for name, value in arguments.items():
            if value in _OTHER_PATHS:
                raise Refused(f"nothing was sent, as its {name} would make it another call")
        quoted = {name: quote(value, safe="", errors="replace") for name, value in arguments.items()}
        return self.template.format_map(quoted)


STATUS_JSON = Endpoint("/status.json")
STATUS_PLAIN = Endpoint("/status.plain")
KERNELCARE_KEYS = Endpoint("/kcare/key/list.json")
KERNELCARE_SERVERS = Endpoint("/kcare/key/servers.json")
IMUNIFY_KEYS = Endpoint("/im/key/list.json")
IMUNIFY_SERVERS = Endpoint("/im/srv/list.json")
IP_LICENSES = Endpoint("/ipl/list.json")
IP_LICENSE_SERVERS = Endpoint("/ipl/server.json")
PATCH_STATUS_OF_KEY = Endpoint("/kcare/nagios/{key}")
PATCH_STATUS_OF_RESELLER = Endpoint("/kcare/nagios-res/{login}/{token}")

READS = frozenset(
    {
        STATUS_JSON,
        STATUS_PLAIN,
        KERNELCARE_KEYS,
        KERNELCARE_SERVERS,
        IMUNIFY_KEYS,
        IMUNIFY_SERVERS,
        IP_LICENSES,
        IP_LICENSE_SERVERS,
        PATCH_STATUS_OF_KEY,
        PATCH_STATUS_OF_RESELLER,
    }
)
"""All that monitoring may send. Most calls of CLN that change something are plain GETs, so the method tells nothing."""

REGISTER_MONITORING_KEY = Endpoint("/kcare/nagios/register_key.plain")

WRITES = frozenset({REGISTER_MONITORING_KEY})
"""What changes something at CLN: sent once, by clients that say so in their type, never by a probe."""
