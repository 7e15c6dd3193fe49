"""The calls of the API document, by their path below the API root."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call that reads. ``template`` is its path, with the arguments that stand in it as ``{name}``."""

    template: str

    def path(self, **arguments: str) -> str:
        """Return the path with percent-encoded ``arguments`` in their places."""
        return self.template.format_map({name: quote(value, safe="") for name, value in arguments.items()})


STATUS_JSON = Endpoint("/status.json")
STATUS_PLAIN = Endpoint("/status.plain")
KERNELCARE_KEYS = Endpoint("/kcare/key/list.json")
KERNELCARE_SERVERS = Endpoint("/kcare/key/servers.json")
IMUNIFY_KEYS = Endpoint("/im/key/list.json")
IMUNIFY_SERVERS = Endpoint("/im/srv/list.json")
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
        PATCH_STATUS_OF_KEY,
        PATCH_STATUS_OF_RESELLER,
    }
)
"""All that monitoring may send. Most calls of CLN that change something are plain GETs, so the method tells nothing."""
