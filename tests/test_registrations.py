"""Registrations at one address, and which of them a newer one supersedes."""

from __future__ import annotations

import pytest

from cln_monitor.policy import DAY
from cln_monitor.registrations import Registration, find_superseded, shared_addresses
from tests.helpers.clock import NOW

HOUR = 3600


def registration(age: float, created: float | None = 90 * DAY, ip: str = "192.0.2.1", key: str = "a") -> Registration:
    """Return a server that checked in ``age`` seconds ago and was registered ``created`` seconds ago."""
    return Registration(ip, NOW - age, None if created is None else NOW - created, key)


def at_shared_addresses(servers: list[Registration]) -> list[list[Registration]]:
    """Return those of ``servers`` whose address several have, by address."""
    shared = shared_addresses([server.ip for server in servers])
    return [[servers[position] for position in positions] for positions in shared]


OLD = registration(5 * DAY)
UNKNOWN = OLD._replace(last_checkin=None, created=NOW - DAY)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([registration(0, 4 * DAY)], [OLD]),
        ([registration(0, 4 * DAY, key="b")], [OLD]),  # on whatever key
        ([registration(DAY, 4 * DAY)], [OLD]),
        ([registration(DAY + 1, 4 * DAY)], []),  # silent as well
        ([registration(0, 5 * DAY - 1)], [OLD]),
        ([registration(0, 5 * DAY)], []),  # registered at the last check-in of the other
        ([registration(0, None)], []),
        ([registration(0, 4 * DAY, ip="192.0.2.2")], []),
        ([registration(0, 4 * DAY), registration(0, 3 * DAY)], []),  # an address that servers share
        ([registration(0, 4 * DAY), registration(0, 4 * DAY)], []),  # also of the same times
        ([registration(0, 4 * DAY), UNKNOWN], []),  # which may be alive
        ([UNKNOWN], []),
        ([registration(0, 4 * DAY), OLD], [OLD, OLD]),
        ([registration(0, 4 * DAY), registration(3 * DAY, 80 * DAY)], [OLD]),
        ([], []),
    ],
)
def test_superseded(others: list[Registration], expected: list[Registration]) -> None:
    """A silent server is superseded by the only fresh registration at its address, if that is newer."""
    for servers in ([OLD, *others], [*others, OLD]):
        assert find_superseded(at_shared_addresses(servers), NOW, DAY) == expected


def test_what_is_fresh_is_not_superseded() -> None:
    """A fresh server is not superseded, however old its registration is."""
    assert find_superseded(at_shared_addresses([registration(DAY), registration(0, HOUR)]), NOW, DAY) == []
    assert find_superseded(at_shared_addresses([registration(3 * DAY), registration(0, HOUR)]), NOW, 3 * DAY) == []


def test_addresses_of_several_registrations() -> None:
    """Only servers at an address with several registrations can be superseded."""
    servers = [OLD, registration(0, ip="192.0.2.2"), registration(0), registration(0, ip=""), registration(9, ip="")]
    assert shared_addresses([server.ip for server in servers]) == [[0, 2]]


@pytest.mark.parametrize(
    "ip", ["0.0.0.0", "127.0.0.1", "127.1.2.3", "::", "::1", "unknown", "192.0.2", "", "fe80::1%eth0x", "\0"]
)
def test_what_is_no_address_of_a_machine_is_shared_by_none(ip: str) -> None:
    """Two servers with a placeholder address are not the same server."""
    assert shared_addresses([ip, ip]) == []


def test_an_address_is_one_however_it_is_spelled() -> None:
    """Different notations of an address mean the same one."""
    assert shared_addresses(["2001:db8::1", "192.0.2.1", "2001:DB8:0::1", "2001:db8::2"]) == [[0, 2]]
