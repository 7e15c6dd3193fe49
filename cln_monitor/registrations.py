"""Registrations of servers at one address: which of them a newer one supersedes.

This module has no slow imports, as each plugin run loads it.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Registration(NamedTuple):
    """A server: its address, the Unix times of its last check-in and registration, and its ``key`` and ID.

    ``last_checkin`` is None if it is unknown; ``host`` is the host name, empty if it is unknown.
    """

    ip: str
    last_checkin: float | None
    created: float | None
    key: str = ""
    server_id: str = ""
    host: str = ""


def shared_addresses(ips: Sequence[str]) -> list[list[int]]:
    """Return the positions in ``ips`` of each address that occurs more than once.

    ``ips`` are the addresses of all servers of an account and product. One that is not the address of a machine, such
    as ``0.0.0.0`` or a name, is never shared.
    """
    # Performance: few of a hundred thousand addresses are shared. Only IPv6 has several notations of an address.
    seen_once: set[str] = set()
    repeated: set[str] = set()
    for ip in ips:
        (repeated if ip in seen_once or ":" in ip else seen_once).add(ip)
    addresses = {ip: machine_address(ip) for ip in repeated}
    if not addresses:
        return []
    by_address: dict[bytes, list[int]] = {}
    for position, ip in enumerate(ips):
        if address := addresses.get(ip):
            by_address.setdefault(address, []).append(position)
    return [positions for positions in by_address.values() if len(positions) > 1]


def machine_address(ip: str) -> bytes:
    """Return the packed form of an address; b"" for an invalid, unspecified or loopback address."""
    try:
        address = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        return b""
    is_of_any = not any(address[:-1]) and address[-1] <= 1 if len(address) > 4 else address[0] in {0, 127}
    return b"" if is_of_any else address


def find_superseded(shared: Iterable[Sequence[Registration]], now: float, stale_after: float) -> list[Registration]:
    """Return the registrations at ``shared`` addresses that are silent and superseded by a newer one.

    A registration is superseded if exactly one registration at its address may be alive, that one is fresh and was
    created after the silent one's last check-in, and host names agree where both are known. An address with several
    live registrations is shared by servers, as behind NAT.
    """
    found = []
    for registrations in shared:
        alive = [one for one in registrations if one.last_checkin is None or now - one.last_checkin <= stale_after]
        if len(alive) == 1 and alive[0].last_checkin is not None and (created := alive[0].created) is not None:
            found += [
                old
                for old in registrations
                if old is not alive[0]
                and old.last_checkin is not None
                and old.last_checkin < created
                and (old.host == alive[0].host or not (old.host and alive[0].host))
            ]
    return found
