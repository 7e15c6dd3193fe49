"""The status of servers: their last check-in, and whether a newer registration supersedes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from cln_monitor.durations import format_age
from cln_monitor.policy import FRESH, MOST_AHEAD, NEVER, STALE, UNKNOWN
from cln_monitor.registrations import Registration, find_superseded, shared_addresses

from .inventory import ListedServer

if TYPE_CHECKING:
    from cln_monitor.cli.session import Session


class ServerStatus(NamedTuple):
    """The status of a ``server`` when it was read. ``age``: seconds since its last check-in, None without one.

    ``successor`` is the registration that supersedes it. ``rival`` explains why it is not superseded although other
    registrations at its address check in.
    """

    server: ListedServer
    checkin: str
    age: float | None
    successor: ListedServer | None = None
    rival: str = ""


def stale_after_in(session: Session) -> Callable[[str], float]:
    """Return a function from a product to the configured seconds after which its servers are stale."""
    from cln_monitor.probes import CheckinSettings, stale_after_of  # noqa: PLC0415 # loaded by then; Tab needs none

    probes, default = session.account.probes, CheckinSettings().stale_after
    return lambda product: stale_after_of(probes[product]) or default


def server_statuses(
    servers: Sequence[ListedServer], now: float, stale_after: Callable[[str], float]
) -> list[ServerStatus]:
    """Return the statuses of ``servers`` at ``now``, CLN's time; they must be all servers of their products."""
    statuses = {id(server): _by_checkin(server, now, stale_after(server.product)) for server in servers}
    for product in dict.fromkeys(server.product for server in servers):
        same_product = [statuses[id(server)] for server in servers if server.product == product]
        for status in _superseded(same_product, now, stale_after(product)):
            statuses[id(status.server)] = status
    return list(statuses.values())


def _by_checkin(server: ListedServer, now: float, stale_after: float) -> ServerStatus:
    checkin = server.last_checkin
    if checkin is None:
        return ServerStatus(server, NEVER, None)
    if checkin is UNSET or checkin > now + MOST_AHEAD:
        return ServerStatus(server, UNKNOWN, None)
    age = max(0.0, now - checkin)
    return ServerStatus(server, STALE if age > stale_after else FRESH, age)


def _superseded(statuses: Iterable[ServerStatus], now: float, stale_after: float) -> Iterable[ServerStatus]:
    """Yield those of ``statuses`` that are silent while other registrations at their address check in."""
    known = [status for status in statuses if status.checkin != NEVER]
    for positions in shared_addresses([status.server.ip for status in known]):
        here = [known[position] for position in positions]
        entries = [_registration(status) for status in here]
        found = set(map(id, find_superseded([entries], now, stale_after)))
        fresh = [status for status in here if status.checkin in {FRESH, UNKNOWN}]
        for entry, status in zip(entries, here, strict=True):
            if id(entry) in found:
                yield status._replace(successor=fresh[0].server)
            elif fresh and status.checkin == STALE:
                yield status._replace(rival=_why_not(status.server, fresh))


def _registration(status: ServerStatus) -> Registration:
    server = status.server
    checkin = server.last_checkin
    known = checkin if isinstance(checkin, float | int) and status.age is not None else None
    return Registration(server.ip, known, server.created, server.key, host=server.hostname)


def _why_not(server: ListedServer, fresh: Sequence[ServerStatus]) -> str:
    unknown = [status.server.server_id for status in fresh if status.checkin == UNKNOWN]
    if unknown:  # it may be alive
        return f"the last check-in of {', '.join(unknown)} at {server.ip} is unknown"
    if len(fresh) > 1:
        return f"{len(fresh)} servers at {server.ip} check in: the address is shared, for example by NAT"
    other = fresh[0].server
    if other.created is None:
        return f"CLN does not report when {other.server_id} at {server.ip} was registered"
    if server.hostname and other.hostname and server.hostname != other.hostname:
        return f"{other.server_id} at {server.ip} is another host: {other.hostname}, not {server.hostname}"
    return f"{other.server_id} at {server.ip} was registered before this server went silent"


def oldest_first(status: ServerStatus) -> tuple[int, float]:
    """Return the sort key by check-in: never checked in, then the oldest check-in, then unknown check-ins."""
    if status.checkin == NEVER:
        return 0, status.server.created or 0.0
    return (2, 0.0) if status.age is None else (1, -status.age)


def by_address(status: ServerStatus) -> tuple[int, int, str]:
    """Return the sort key by address: IPv4, then IPv6, then texts that are not an address."""
    try:
        ip = ipaddress.ip_address(status.server.ip)
    except ValueError:
        return 9, 0, status.server.ip
    return ip.version, int(ip), ""


def by_host_name(status: ServerStatus) -> tuple[bool, str]:
    """Return the sort key by host name: servers without a host name last."""
    return not status.server.hostname, status.server.hostname.lower()


def describe_checkin(status: ServerStatus, now: float) -> str:
    """Return a text about the last check-in of a server, or about its registration if it has never checked in."""
    if status.age is not None:
        return f"last check-in {format_age(status.age)} ago"
    created = status.server.created
    since = "at an unknown time" if created is None else f"{format_age(now - created)} ago"
    return f"never checked in, registered {since}"


FIELDS = (
    *("product", "account", "id", "ip", "hostname", "key", "mask", "note"),
    *("last_checkin", "age_seconds", "checkin", "superseded"),
)
"""The output fields of a server."""
COLUMNS = ("product", "id", "ip", "hostname", "mask", "note", "last_checkin", "state")
"""The columns of a table; ``state`` is ``superseded`` or the check-in state."""


def row_of_server(status: ServerStatus, account: str) -> dict[str, object]:
    """Return the output row of a server; unknown fields are None."""
    server = status.server
    return {
        "product": server.product,
        "account": account,
        "id": server.server_id or None,
        "ip": server.ip or None,
        "hostname": server.hostname or None,
        "key": server.key or None,
        "mask": server.mask,
        "note": server.note,
        "last_checkin": None if status.age is None else server.last_checkin,
        "age_seconds": None if status.age is None else int(status.age),
        "checkin": status.checkin,
        "superseded": status.successor is not None,
        "state": "superseded" if status.successor else status.checkin,
    }
