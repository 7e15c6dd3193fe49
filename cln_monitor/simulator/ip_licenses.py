"""IP licences: `/ipl/…` (API document: IP-based licenses API), the calls that read."""

from dataclasses import dataclass
from ipaddress import ip_address

from . import answers
from .answers import Answer
from .calls import Call, Refused, Route
from .checkins import CheckIns
from .tokens import authorized

SERVER_INFO = "cloudlinux-release-8 (4.18.0-553.16.1.lve.el8.x86_64)"
MOST_ADDRESSES = 100  # in one call


@dataclass(slots=True, eq=False)
class IpLicense:
    """A licence of one product, `type`, for the server at `ip`; `registered` when a server uses it.

    `created` is Unix seconds; put another model in `checkins` at will. `server_info` names the system and
    the kernel of the server; which value it has without a server is unknown, None goes out as null.
    """

    ip: str
    type: int
    registered: bool
    created: float
    checkins: CheckIns
    server_info: str | None

    def last_checkin(self, now: float) -> float | None:
        """Unix seconds of the last check-in up to `now`, None when there was none."""
        return self.checkins.last_checkin(now)


def canonical(ip: str) -> str:
    """An address as it is spelled here. Raises ValueError for a text that is none."""
    return str(ip_address(ip))


def _list(call: Call) -> Answer:
    """`/ipl/list.json`."""
    return answers.envelope([_row(call, license_) for license_ in authorized(call).ip_licenses.values()])


def _servers(call: Call) -> Answer:
    """`/ipl/server.json`: addresses without a licence of the account have no row."""
    account, wanted = authorized(call), _addresses(call.argument("ip"))
    return answers.envelope(
        [
            {
                "server_info": license_.server_info,
                **_row(call, license_),
                **call.dates.field("last_checkin", license_.last_checkin(call.now)),
            }
            for (ip, _), license_ in account.ip_licenses.items()
            if ip in wanted
        ]
    )


def _row(call: Call, license_: IpLicense) -> dict[str, object]:
    return {
        "ip": license_.ip,
        "type": license_.type,
        "registered": license_.registered,
        "created": call.dates.spell(license_.created),
    }


def _addresses(text: str) -> set[str]:
    sent = text.split(",")
    if len(sent) > MOST_ADDRESSES:
        raise Refused(f"Too many IP addresses: {len(sent)}, at most {MOST_ADDRESSES} are allowed")
    wanted = set()
    for ip in sent:
        try:
            wanted.add(canonical(ip))
        except ValueError:
            raise Refused(f"Invalid IP address: {ip}") from None
    return wanted


ROUTES = (
    Route("GET", "/ipl/list.json", _list),
    Route("GET", "/ipl/server.json", _servers),
)
