"""Fleets from a seed."""

import time
from collections import Counter

import pytest

from cln_monitor.simulator import Simulator

from .asking import NOW, ask, token


def rows(simulator: Simulator) -> list[dict[str, object]]:
    """All rows of all KernelCare keys and all IP licences, as CLN lists them."""
    account = simulator.accounts["acme_login"]
    now = token(account, simulator.now())
    keys = ask(simulator, "/kcare/key/list.json", token=now).json["data"]
    licenses: list[dict[str, object]] = ask(simulator, "/ipl/list.json", token=now).json["data"]
    return licenses + [
        row for key in keys for row in ask(simulator, "/kcare/key/servers.json", token=now, key=key["key"]).json["data"]
    ]


def test_the_same_seed_gives_the_same_fleet() -> None:
    """To the letter, and another seed another one."""
    first = rows(Simulator.generate(servers=150, seed=1, clock=lambda: NOW))
    assert first == rows(Simulator.generate(servers=150, seed=1, clock=lambda: NOW))
    assert first != rows(Simulator.generate(servers=150, seed=2, clock=lambda: NOW))


@pytest.mark.parametrize(("servers", "keys"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_fleet_has_as_many_servers_as_asked_for(servers: int, keys: int) -> None:
    """A hundred a key, and a quarter as many with Imunify."""
    counts = Simulator.generate(servers=servers, clock=lambda: NOW).accounts["acme_login"].counts()
    assert (counts["kernelcare_servers"], counts["kernelcare_keys"]) == (servers, keys)
    assert counts["imunify_servers"] == servers // 4


@pytest.mark.parametrize(("servers", "licenses"), [(0, 0), (9, 0), (10, 1), (255, 25), (10_019, 1000)])
def test_a_fleet_has_a_tenth_as_many_ip_licences(servers: int, licenses: int) -> None:
    """A thousand at most."""
    counts = Simulator.generate(servers=servers, clock=lambda: NOW).accounts["acme_login"].counts()
    assert counts["ip_licenses"] == licenses


def test_ip_licences_are_mostly_used_and_some_addresses_hold_several() -> None:
    """Of 400 some 40 are unused and never heard, and most others are well."""
    account = Simulator.generate(servers=4000, clock=lambda: NOW).accounts["acme_login"]
    licenses = list(account.ip_licenses.values())
    assert {license_.type for license_ in licenses} == {1, 4, 16, 17, 40, 41, 42, 43, 49, 1002}
    assert max(Counter(license_.ip for license_ in licenses).values()) == 3
    unused = [license_ for license_ in licenses if not license_.registered]
    assert len(unused) in range(20, 60)
    assert {license_.last_checkin(NOW) for license_ in unused} == {None}
    assert sum((license_.last_checkin(NOW) or 0) > NOW - 24 * 3600 for license_ in licenses) > 300


def test_a_fleet_is_mostly_well_and_has_all_kinds_of_trouble() -> None:
    """Of 4000 servers some were never heard, some are stale, and each patch state occurs."""
    simulator = Simulator.generate(servers=4000, clock=lambda: NOW)
    account = simulator.accounts["acme_login"]
    heard = [server.last_checkin(NOW) for server in account.kernelcare_servers()]
    stale = sum(at is not None and NOW - at > 24 * 3600 for at in heard)
    assert heard.count(None) in range(20, 70)
    assert stale in range(40, 160)
    states = Counter(server.state_at(NOW) for server in account.kernelcare_servers())
    assert states["uptodate"] > 3600
    assert min(states["outofdate"], states["unsupported"], states["inactive"]) > 10
    limits = [key.limit for key in account.kernelcare_keys.values()]
    assert (limits.count(0), limits.count(100)) == (4, 2)


def test_servers_go_stale_and_recover_as_time_passes() -> None:
    """Over ten days some fresh ones turn stale, and some stale ones fresh."""
    simulator = Simulator.generate(servers=4000, clock=lambda: NOW)

    def stale() -> set[str]:
        now = simulator.now()
        return {
            server.server_id
            for server in simulator.accounts["acme_login"].kernelcare_servers()
            if (server.last_checkin(now) or 0) < now - 24 * 3600
        }

    before = stale()
    simulator.advance(10 * 24 * 3600)
    after = stale()
    assert len(after - before) > 5
    assert len(before - after) > 5


def test_a_large_fleet_is_quick() -> None:
    """20 000 servers are made in a second or so, and a key of a hundred is listed in milliseconds."""
    started = time.process_time()
    simulator = Simulator.generate(servers=20_000, clock=lambda: NOW)
    assert time.process_time() - started < 2
    account = simulator.accounts["acme_login"]
    started = time.process_time()
    for key in list(account.kernelcare_keys)[:20]:
        ask(simulator, "/kcare/key/servers.json", token=token(account), key=key)
    assert (time.process_time() - started) / 20 < 0.01
