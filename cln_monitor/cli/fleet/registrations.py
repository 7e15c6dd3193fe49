"""How servers stand: when they checked in last, and whether a newer registration has taken their place."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import UNSET

from cln_monitor import policy
from cln_monitor.cli.session import Session
from cln_monitor.durations import format_age
from cln_monitor.probes import FRESH, MOST_AHEAD, NEVER, STALE, UNKNOWN, CheckinSettings, stale_after_of

from .inventory import ListedServer

_DEFAULT_STALE_AFTER = CheckinSettings().stale_after


class Standing(NamedTuple):
    """A ``server`` at the moment it was read. ``age``: seconds since its last check-in, None without one.

    ``successor`` is the registration that has superseded it; ``rival`` says why none has, where its address has
    registrations that check in.
    """

    server: ListedServer
    checkin: str
    age: float | None
    successor: ListedServer | None = None
    rival: str = ""


def stale_after_in(session: Session) -> Callable[[str], float]:
    """Return what gives the seconds after which a server of a product counts as silent, as configured."""
    probes = session.account.probes
    return lambda product: stale_after_of(probes[product]) or _DEFAULT_STALE_AFTER


def stand(servers: Sequence[ListedServer], now: float, stale_after: Callable[[str], float]) -> list[Standing]:
    """Return how ``servers``, all of an account and the products they are of, stand at ``now``, CLN's time."""
    stands = {id(server): _by_checkin(server, now, stale_after(server.product)) for server in servers}
    for product in dict.fromkeys(server.product for server in servers):
        of_product = [stands[id(server)] for server in servers if server.product == product]
        for each in _superseded(of_product, now, stale_after(product)):
            stands[id(each.server)] = each
    return list(stands.values())


def _by_checkin(server: ListedServer, now: float, stale_after: float) -> Standing:
    told = server.last_checkin
    if told is None:
        return Standing(server, NEVER, None)
    if told is UNSET or told > now + MOST_AHEAD:
        return Standing(server, UNKNOWN, None)
    age = max(0.0, now - told)
    return Standing(server, STALE if age > stale_after else FRESH, age)


def _superseded(stands: Iterable[Standing], now: float, stale_after: float) -> Iterable[Standing]:
    """Yield those of ``stands`` that are silent while their address has registrations that check in."""
    registered = {}
    for each in stands:
        server = each.server
        if each.checkin != NEVER:
            seen = (
                server.last_checkin if isinstance(server.last_checkin, float | int) and each.age is not None else None
            )
            entry = policy.Registration(server.ip, seen, server.created, server.key, server.hostname)
            registered[id(entry)] = (entry, each)
    shared = policy.shared_addresses(entry for entry, _ in registered.values())
    found = set(map(id, policy.superseded(shared, now, stale_after)))
    for registrations in shared:
        here = [registered[id(entry)][1] for entry in registrations]
        fresh = [each for each in here if each.checkin in {FRESH, UNKNOWN}]
        for entry, each in zip(registrations, here, strict=True):
            if id(entry) in found:
                yield each._replace(successor=fresh[0].server)
            elif fresh and each.checkin == STALE:
                yield each._replace(rival=_why_not(each.server, fresh))


def _why_not(server: ListedServer, fresh: Sequence[Standing]) -> str:
    unknown = [each.server.server_id for each in fresh if each.checkin == UNKNOWN]
    if unknown:  # it may be alive
        return f"the last check-in of {', '.join(unknown)} at {server.ip} is unknown"
    if len(fresh) > 1:
        return f"{server.ip} has {len(fresh)} servers that check in: it is shared, as by NAT"
    other = fresh[0].server
    if other.created is None:
        return f"CLN does not tell when {other.server_id} at {server.ip} was registered"
    if server.hostname and other.hostname and server.hostname != other.hostname:
        return f"{other.server_id} at {server.ip} is another host: {other.hostname}, not {server.hostname}"
    return f"{other.server_id} at {server.ip} was registered before this one went silent"


def oldest_first(each: Standing) -> tuple[int, float]:
    """Return what sorts by silence: never checked in, then the oldest check-in, then what is unknown."""
    if each.checkin == NEVER:
        return 0, each.server.created or 0.0
    return (2, 0.0) if each.age is None else (1, -each.age)


def by_address(each: Standing) -> tuple[int, int, str]:
    """Return what sorts by address, IPv4 before IPv6, what is no address last."""
    try:
        ip = ipaddress.ip_address(each.server.ip)
    except ValueError:
        return 9, 0, each.server.ip
    return ip.version, int(ip), ""


def by_host_name(each: Standing) -> tuple[bool, str]:
    """Return what sorts by host name, servers without one last."""
    return not each.server.hostname, each.server.hostname.lower()


def last_seen(each: Standing, now: float) -> str:
    """Return in words when a server checked in last, or since when it never has."""
    if each.age is not None:
        return f"last check-in {format_age(each.age)} ago"
    created = each.server.created
    since = (
        "CLN does not tell when it was registered" if created is None else f"registered {format_age(now - created)} ago"
    )
    return f"never checked in, {since}"


FIELDS = (
    *("product", "account", "id", "ip", "hostname", "key", "mask", "note"),
    *("last_checkin", "age_seconds", "checkin", "superseded"),
)
"""The fields of a server."""
COLUMNS = ("product", "id", "ip", "hostname", "mask", "note", "last_checkin", "state")
"""What a table has; ``state`` is what matters most about a server."""


def row_of_server(each: Standing, account: str) -> dict[str, object]:
    """Return a server as it is shown; what is not known of it is None."""
    server = each.server
    return {
        "product": server.product,
        "account": account,
        "id": server.server_id or None,
        "ip": server.ip or None,
        "hostname": server.hostname or None,
        "key": server.key or None,
        "mask": server.mask,
        "note": server.note,
        "last_checkin": None if each.age is None else server.last_checkin,
        "age_seconds": None if each.age is None else int(each.age),
        "checkin": each.checkin,
        "superseded": each.successor is not None,
        "state": "superseded" if each.successor else each.checkin,
    }
