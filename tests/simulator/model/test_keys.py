"""Keys of all products."""

import pytest

from cln_monitor.simulator import Account, Fixed, Never, Simulator, Steady
from tests.simulator.asking import NOW


def test_a_server_added_with_nothing_said_is_healthy(simulator: Simulator, account: Account) -> None:
    """By default, a server is registered now and checks in regularly."""
    server = account.add_kernelcare_key().add_server()
    assert (server.created, server.ip, server.hostname) == (NOW, "192.0.2.1", "web1.fra1.example.net")
    assert isinstance(server.checkins, Steady)
    assert server.last_checkin(NOW) == NOW
    simulator.advance(24 * 3600)
    assert server.last_checkin(simulator.now()) == pytest.approx(NOW + 22 * 3600, abs=2.3 * 3600)


@pytest.mark.parametrize(
    ("given", "expected"),
    [(NOW - 5, Fixed(NOW - 5)), (None, Never()), (Steady(1, NOW), Steady(1, NOW))],
    ids=["a-number", "none", "a-model"],
)
def test_given_check_ins(account: Account, given: float | None, expected: object) -> None:
    """A number is a fixed check-in, None is never, and a model is used as is."""
    assert account.add_imunify_key().add_server(last_checkin=given).checkins == expected


def test_a_server_id_is_registered_once_a_key(account: Account) -> None:
    """A server id is unique per key."""
    first, second = account.add_kernelcare_key("A"), account.add_kernelcare_key("B")
    first.add_server("s1")
    second.add_server("s1")
    with pytest.raises(ValueError, match=r"^key A: the server s1 is registered already$"):
        first.add_server("s1")


def test_removing_a_server_takes_it_off_its_key(account: Account) -> None:
    """A removed server is returned; removing it again is an error."""
    key = account.add_kernelcare_key("A")
    server = key.add_server("s1")
    assert key.remove_server("s1") is server
    assert not key.servers
    with pytest.raises(ValueError, match=r"^key A: no server s1 is registered with it$"):
        key.remove_server("s1")


def test_a_limit_below_nothing_is_refused(account: Account) -> None:
    """A negative limit is an error, and the key can still be added."""
    with pytest.raises(ValueError, match=r"^key A: limit must be a number of servers, or 0 for no limit, not -1$"):
        account.add_kernelcare_key("A", limit=-1)
    assert account.add_kernelcare_key("A", limit=0).limit == 0


def test_a_key_is_full_at_its_limit(account: Account) -> None:
    """A key is full at its limit and above; an unlimited key is never full."""
    key = account.add_imunify_key(limit=1)
    assert not key.is_full
    for _ in range(2):
        key.add_server()
        assert key.is_full
    key.limit = 0
    assert not key.is_full


def test_moving_a_server_moves_the_very_server(account: Account) -> None:
    """Moving an unknown or existing server is an error, and changes nothing."""
    first, second = account.add_imunify_key("A"), account.add_imunify_key("B")
    server = first.add_server("s1")
    assert first.move_server("s1", second) is server
    assert (first.servers, second.servers) == ({}, {"s1": server})
    with pytest.raises(ValueError, match=r"^key A: no server s2 is registered with it$"):
        first.move_server("s2", second)
    again = first.add_server("s1")
    with pytest.raises(ValueError, match=r"^key B: the server s1 is registered already$"):
        first.move_server("s1", second)
    assert (first.servers, second.servers) == ({"s1": again}, {"s1": server})
