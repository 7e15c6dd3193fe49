"""IP licences, and the spelling of their addresses."""

from dataclasses import dataclass
from ipaddress import ip_address

from .checkins import SimulatedCheckIns

SERVER_INFO = "cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)"


@dataclass(slots=True, eq=False)
class SimulatedIpLicense:
    """A licence of one product, `type`, for the server at `ip`; `registered` when a server uses it.

    `created` is Unix seconds; put another model in `checkins` at will. `server_info` names the system and
    the kernel of the server; which value it has without a server is unknown, None goes out as null.
    `els_allowed` is whether CloudLinux 6 may be registered; no call tells it.
    """

    ip: str
    type: int
    registered: bool
    created: float
    checkins: SimulatedCheckIns
    server_info: str | None
    els_allowed: bool = False

    def last_checkin(self, now: float) -> float | None:
        """Unix seconds of the last check-in up to `now`, None when there was none."""
        return self.checkins.last_checkin(now)


def canonical(ip: str) -> str:
    """An address as it is spelled here. Raises ValueError for a text that is none, or that names a zone."""
    if "%" in ip:
        raise ValueError(f"{ip!r} is an address with a zone, which means nothing to another machine")
    return str(ip_address(ip))
