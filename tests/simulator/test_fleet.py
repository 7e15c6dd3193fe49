"""Fleets generated from a seed."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable

import pytest

from cln_monitor.simulator import SimulatedImunifyServer, SimulatedKernelCareServer, Simulator
from cln_monitor.simulator.model import CLOUDLINUX_PRODUCTS, ELS_CODES, REVISIONS

from .asking import NOW, ask, data, snapshot, token


def rows(simulator: Simulator) -> list[dict[str, object]]:
    """Return all rows of KernelCare servers and IP licenses, as CLN lists them."""
    account = simulator.accounts["acme_login"]
    now = token(account, simulator.now())
    keys = ask(simulator, "/kcare/key/list.json", token=now).json["data"]
    licenses: list[dict[str, object]] = ask(simulator, "/ipl/list.json", token=now).json["data"]
    return licenses + [
        row for key in keys for row in ask(simulator, "/kcare/key/servers.json", token=now, key=key["key"]).json["data"]
    ]


def test_the_same_seed_gives_the_same_fleet() -> None:
    """The same seed gives an identical fleet, and another seed a different one."""
    first = rows(Simulator.generate(servers=150, seed=1, clock=lambda: NOW))
    assert first == rows(Simulator.generate(servers=150, seed=1, clock=lambda: NOW))
    assert first != rows(Simulator.generate(servers=150, seed=2, clock=lambda: NOW))


@pytest.mark.parametrize(("servers", "keys"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_fleet_has_as_many_servers_as_asked_for(servers: int, keys: int) -> None:
    """A key has 100 servers, and there is a quarter as many Imunify servers."""
    counts = Simulator.generate(servers=servers, clock=lambda: NOW).accounts["acme_login"].counts()
    assert (counts["kernelcare_servers"], counts["kernelcare_keys"]) == (servers, keys)
    assert counts["imunify_servers"] == servers // 4


@pytest.mark.parametrize(("servers", "licenses"), [(0, 0), (9, 0), (10, 1), (255, 25), (10_019, 1000)])
def test_a_fleet_has_a_tenth_as_many_ip_licenses(servers: int, licenses: int) -> None:
    """A fleet has a tenth as many IP licenses as servers, and at most 1000."""
    counts = Simulator.generate(servers=servers, clock=lambda: NOW).accounts["acme_login"].counts()
    assert counts["ip_licenses"] == licenses


def test_ip_licenses_are_mostly_used_and_some_addresses_hold_several() -> None:
    """About a tenth of the IP licenses is unused."""
    account = Simulator.generate(servers=4000, clock=lambda: NOW).accounts["acme_login"]
    licenses = list(account.ip_licenses.values())
    assert {license_.type for license_ in licenses} == {1, 4, 16, 17, 40, 41, 42, 43, 49, 1002}
    assert max(Counter(license_.ip for license_ in licenses).values()) == 3
    unused = [license_ for license_ in licenses if not license_.registered]
    assert len(unused) in range(20, 60)
    assert {license_.last_checkin(NOW) for license_ in unused} == {None}
    assert sum((license_.last_checkin(NOW) or 0) > NOW - 24 * 3600 for license_ in licenses) > 300


def test_a_fleet_is_mostly_well_and_has_all_kinds_of_trouble() -> None:
    """Of 4000 servers, some are stale or never checked in."""
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
    """Over ten days, some fresh servers turn stale, and some stale ones fresh."""
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
    """Generating 20 000 servers takes about a second, and listing a key milliseconds."""
    started = time.thread_time()
    simulator = Simulator.generate(servers=20_000, clock=lambda: NOW)
    assert time.thread_time() - started < 5
    account = simulator.accounts["acme_login"]
    started = time.thread_time()
    for key in list(account.kernelcare_keys)[:20]:
        ask(simulator, "/kcare/key/servers.json", token=token(account), key=key)
    assert (time.thread_time() - started) / 20 < 0.05


@pytest.mark.parametrize(
    ("make", "digest"),
    [
        (lambda: Simulator.demo(clock=lambda: NOW), "e27ae583"),
        (lambda: Simulator.demo(seed=1, clock=lambda: NOW), "d68b091c"),
        (lambda: Simulator.generate(400, clock=lambda: NOW), "23dc80b6"),
        (lambda: Simulator.generate(2500, seed=3, clock=lambda: NOW), "1d46a59d"),
    ],
    ids=["demo 7", "demo 1", "fleet 7", "fleet 3"],
)
def test_a_seed_gives_the_fleet_it_always_gave(make: Callable[[], Simulator], digest: str) -> None:
    """The fleet of a seed never changes, as metrics of a seed are compared."""
    simulator = make()
    account = simulator.accounts["acme_login"]
    keys, licenses = data(simulator, account, "/kcare/key/list.json"), data(simulator, account, "/ipl/list.json")
    imunify = data(simulator, account, "/im/key/list.json")
    rows_ = [account.secret_key, keys, imunify, licenses]
    rows_ += [data(simulator, account, "/kcare/key/servers.json", key=row["key"]) for row in keys]
    rows_ += [data(simulator, account, "/im/srv/list.json", key=row["key"]) for row in imunify]
    ips = sorted({row["ip"] for row in licenses})
    for at in range(0, len(ips), 100):
        rows_.append(data(simulator, account, "/ipl/server.json", ip=",".join(ips[at : at + 100])))
    rows_ += [ask(simulator, f"/kcare/nagios/{row['key']}").text for row in keys]
    assert hashlib.sha256(json.dumps(rows_).encode()).hexdigest().startswith(digest)


@pytest.mark.parametrize(("servers", "covered"), [(0, 0), (7, 0), (8, 1), (255, 31), (10_019, 1000)])
def test_an_eighth_of_the_servers_has_els(servers: int, covered: int) -> None:
    """A fleet has an eighth as many ELS servers, at most 1000, and 10 per key."""
    counts = Simulator.generate(servers=servers, clock=lambda: NOW).accounts["acme_login"].counts()
    assert (counts["els_servers"], counts["els_keys"]) == (covered, -(-covered // 10))


@pytest.mark.parametrize("revision", REVISIONS)
def test_els_keys_are_of_all_products_roomy_full_and_unlimited(revision: str) -> None:
    """ELS keys have all products of the revision and their own addresses."""
    account = Simulator.generate(servers=4000, clock=lambda: NOW, revision=revision).accounts["acme_login"]
    keys = account.els_keys.values()
    assert {key.code for key in keys} == set(ELS_CODES[revision])
    assert {0 if not key.limit else 2 if key.is_full else 1 for key in keys} == {0, 1, 2}
    ips = {server.ip for key in keys for server in key.servers.values()}
    assert len(ips) == 500
    assert ips.isdisjoint(server.ip for server in account.kernelcare_servers())
    assert ips.isdisjoint(ip for ip, _ in account.ip_licenses)


def test_cloudlinux_keys_are_of_all_products() -> None:
    """As many servers have CloudLinux OS as have ELS, with other addresses; the revision of 2024-03 has none."""
    account = Simulator.generate(servers=4000, clock=lambda: NOW).accounts["acme_login"]
    keys = account.cloudlinux_keys.values()
    assert {key.product_type for key in keys} == set(CLOUDLINUX_PRODUCTS)
    assert {0 if not key.limit else 2 if key.is_full else 1 for key in keys} == {0, 1, 2}
    servers = [(server_id, server.ip) for key in keys for server_id, server in key.servers.items()]
    assert len(servers) == len(dict(servers)) == len({ip for _, ip in servers}) == 500
    ips = {ip for _, ip in servers}
    assert ips.isdisjoint(server.ip for key in account.els_keys.values() for server in key.servers.values())
    assert ips.isdisjoint(ip for ip, _ in account.ip_licenses)
    older = Simulator.generate(servers=400, clock=lambda: NOW, revision="2024-03").accounts["acme_login"]
    assert not older.cloudlinux_keys


def test_groups_hold_servers_of_both_products_and_share_some() -> None:
    """There is a group per key, one across keys, and an empty one."""
    account = Simulator.generate(servers=400, clock=lambda: NOW).accounts["acme_login"]
    assert list(account.groups) == ["watch list", "reserve", "group 1", "group 2", "group 3", "group 4"]
    sizes = {name: len(group.servers) for name, group in account.groups.items()}
    assert (sizes["watch list"], sizes["reserve"], sizes["group 1"], sizes["group 2"]) == (4, 0, 15, 10)
    assert {type(server) for server in account.groups["group 1"].servers} == {
        SimulatedKernelCareServer,
        SimulatedImunifyServer,
    }
    assert all(len(server.groups) == 2 for server in account.groups["watch list"].servers)
    assert Simulator.generate(servers=0, clock=lambda: NOW).accounts["acme_login"].counts()["groups"] == 0


def test_accelerate_wp_is_billed_for_three_months() -> None:
    """More websites are billed each month, with and without CDN and user name."""
    account = Simulator.generate(servers=400, clock=lambda: NOW).accounts["acme_login"]
    assert list(account.awp_entities) == ["2024-02", "2024-03", "2024-04"]
    sizes = [len(entities) for entities in account.awp_entities.values()]
    assert sizes == sorted(sizes)
    now = account.awp_entities["2024-04"]
    assert sum(entity.product == "AWP_PREMIUM" for entity in now) == 100
    assert {(entity.product, entity.cdn_limit_type) for entity in now} == {
        ("AWP_PREMIUM", None),
        ("AWP_CDN", "50 GB"),
        ("AWP_CDN", "100 GB"),
        ("AWP_CDN", "1 TB"),
    }
    assert {entity.username is None for entity in now} == {True, False}


def test_the_same_seed_gives_the_same_other_products() -> None:
    """The same seed gives the same ELS keys, groups and billing."""

    def generated(seed: int) -> tuple[object, ...]:
        account = Simulator.generate(servers=200, seed=seed, clock=lambda: NOW).accounts["acme_login"]
        return snapshot(account), account.awp_entities

    assert generated(1) == generated(1)
    assert all(one != other for one, other in zip(generated(1), generated(2), strict=True))
