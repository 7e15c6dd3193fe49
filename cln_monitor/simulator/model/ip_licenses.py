"""IP licenses, and the canonical form of their addresses."""

from dataclasses import dataclass
from ipaddress import ip_address

from .checkins import SimulatedCheckIns

SERVER_INFO = "cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)"


@dataclass(slots=True, eq=False)
class SimulatedIpLicense:
    """A license of one product, `type`, for the server at `ip`; `registered` if a server uses it.

    `created` is Unix seconds; `checkins` can be replaced by another model. `server_info` is the operating system and
    the kernel of the server; its value without a server is unknown, None is sent as null. `els_allowed` is whether
    CloudLinux 6 may be registered; no call reports it.
    """

    ip: str
    type: int
    registered: bool
    created: float
    checkins: SimulatedCheckIns
    server_info: str | None
    els_allowed: bool = False

    def last_checkin(self, now: float) -> float | None:
        """Return the Unix seconds of the last check-in up to `now`, or None if there was no check-in."""
        return self.checkins.last_checkin(now)


def canonical(ip: str) -> str:
    """Return the canonical form of an IP address. Raises ValueError for any other text, and for a zone."""
    if "%" in ip:
        raise ValueError(f"{ip!r} is an address with a zone, which is only valid on one machine")
    return str(ip_address(ip))
