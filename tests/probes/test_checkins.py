"""Servers by their last check-in."""

from __future__ import annotations

import pytest
from msgspec import UNSET

from cln_monitor.cln import KernelCareServer, LastCheckin
from cln_monitor.policy import CHECKINS
from cln_monitor.probes.checkins import count_checkins, without_ahead

NOW, STALE_AFTER = 1_000_000.0, 86400.0


def servers(*last_checkins: LastCheckin) -> list[KernelCareServer]:
    """Return one server per check-in."""
    return [KernelCareServer(str(number), "192.0.2.1", None, at) for number, at in enumerate(last_checkins)]


@pytest.mark.parametrize(
    ("last_checkin", "checkin"),
    [
        pytest.param(NOW, "fresh", id="now"),
        pytest.param(NOW - STALE_AFTER, "fresh", id="at-the-limit"),
        pytest.param(NOW - STALE_AFTER - 0.001, "stale", id="over-the-limit"),
        pytest.param(NOW + 3600, "fresh", id="in-the-future"),
        pytest.param(0.0, "stale", id="1970"),
        pytest.param(-1e10, "stale", id="before-1970"),
        pytest.param(None, "never", id="never"),
        pytest.param(UNSET, "unknown", id="unknown"),
    ],
)
def test_one_server(last_checkin: LastCheckin, checkin: str) -> None:
    """A server is stale after stale_after, and one without check-ins is neither fresh nor stale."""
    counts = count_checkins(servers(last_checkin), NOW, STALE_AFTER)
    assert counts == dict.fromkeys(CHECKINS, 0) | {checkin: 1}


def test_the_sum_is_all_servers() -> None:
    """Each server is counted once, and every state is present."""
    counts = count_checkins(servers(NOW, NOW, 0.0, None, None, None), NOW, STALE_AFTER)
    assert counts == {"fresh": 2, "stale": 1, "never": 3, "unknown": 0}
    assert count_checkins([], NOW, STALE_AFTER) == dict.fromkeys(CHECKINS, 0)


def test_a_check_in_ahead_of_clns_clock() -> None:
    """A check-in over an hour ahead is unset; a list without any is returned unchanged."""
    some = servers(NOW, NOW + 3600, None, UNSET)
    assert without_ahead(some, NOW) == (some, [])
    assert without_ahead(some, NOW)[0] is some
    odd = servers(NOW, NOW + 3600.5, 4e9)
    kept, ahead = without_ahead(odd, NOW)
    assert [server.last_checkin for server in kept] == [NOW, UNSET, UNSET]
    assert ahead == odd[1:]
