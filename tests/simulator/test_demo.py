"""The demo account."""

from collections import Counter

import pytest

from cln_monitor.simulator import SimulatedImunifyServer, SimulatedKernelCareServer, Simulator

from .asking import NOW, ask, token

DAY = 24 * 3600


@pytest.mark.parametrize("seed", [1, 7, 12345])
def test_every_state_worth_showing_occurs(seed: int) -> None:
    """For any seed, the demo has keys, check-ins and patch states of all kinds."""
    simulator = Simulator.demo(seed=seed, clock=lambda: NOW)
    account = simulator.accounts["acme_login"]
    keys = list(account.kernelcare_keys.values())
    used = {key.note: (len(key.servers), key.limit, key.enabled) for key in keys}
    assert used == {
        "Production web, Frankfurt": (48, 50, True),
        "Shared hosting Köln": (20, 20, True),
        "クラウド (unlimited)": (17, 0, True),
        "Databases": (6, 12, True),
        "Lab, retired": (2, 5, False),
        "New customer: onboarding": (0, 10, True),
    }
    assert Counter(server.state_at(NOW) for server in account.kernelcare_servers()) == {
        "uptodate": 84,
        "outofdate": 4,
        "unsupported": 2,
        "inactive": 3,
    }
    heard = [server.last_checkin(NOW) for server in account.kernelcare_servers()]
    assert heard.count(None) == 2
    assert sum(at is not None and at < NOW - DAY for at in heard) in range(5, 10)
    assert {key.code: (len(key.servers), key.limit) for key in account.imunify_keys.values()} == {
        "360_250": (14, 20),
        "360_30": (5, 5),
        "AVP": (6, 0),
        "360_1": (0, 10),
    }


def test_one_server_is_registered_twice() -> None:
    """One address has two registrations: the older is silent, and the newer checks in."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    by_ip = Counter(server.ip for server in account.kernelcare_servers())
    [twice] = [ip for ip, count in by_ip.items() if count > 1]
    old, new = (server.last_checkin(NOW) for server in account.kernelcare_servers() if server.ip == twice)
    assert old is not None
    assert old <= NOW - 12 * DAY
    assert new is not None
    assert new > NOW - 5 * 3600


def test_the_newer_registration_is_later_by_the_minute() -> None:
    """Even if the older one's last check-in was just before, dates to the minute show that the newer one came later."""

    def twice(started: float) -> tuple[float, float]:
        account = Simulator.demo(clock=lambda: started).accounts["acme_login"]
        servers = list(account.kernelcare_servers())
        [ip] = [ip for ip, count in Counter(server.ip for server in servers).items() if count > 1]
        old, new = (server for server in servers if server.ip == ip)
        checkin = old.last_checkin(started)
        assert checkin is not None
        return checkin, new.created

    just_after = twice(NOW)[0] + 12 * DAY + 1
    checkin, created = twice(just_after)
    assert just_after - 12 * DAY - checkin == 1
    assert checkin // 60 < created // 60


def test_ip_licenses_of_each_kind_occur() -> None:
    """The demo has IP licenses that are unused, stale, undocumented, shared, or IPv6."""
    licenses = list(Simulator.demo(clock=lambda: NOW).accounts["acme_login"].ip_licenses.values())
    assert Counter(license_.type for license_ in licenses) == {1: 8, 1002: 4, 16: 3, 42: 4, 5010: 1}
    unused = [license_ for license_ in licenses if not license_.registered]
    assert Counter(license_.type for license_ in unused) == {1: 2, 1002: 1, 42: 1}
    assert {(license_.last_checkin(NOW), license_.server_info) for license_ in unused} == {(None, None)}
    heard = [license_.last_checkin(NOW) for license_ in licenses if license_.registered]
    assert heard.count(None) == 1
    assert sum(at is not None and at < NOW - DAY for at in heard) == 2
    by_ip = Counter(license_.ip for license_ in licenses)
    assert set(by_ip.values()) == {1, 2}
    assert any(":" in ip for ip in by_ip)


def test_ip_licenses_share_no_address_with_servers_of_keys() -> None:
    """IP licenses and servers of keys have different addresses."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    servers = {server.ip for server in account.kernelcare_servers()}
    servers |= {server.ip for key in account.imunify_keys.values() for server in key.servers.values()}
    assert servers.isdisjoint({ip for ip, _ in account.ip_licenses})


def test_counts_of_servers_differ() -> None:
    """All counts of servers differ, so that a page shows what it counts."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    kernelcare = len(list(account.kernelcare_servers()))
    imunify = sum(len(key.servers) for key in account.imunify_keys.values())
    els = sum(len(key.servers) for key in account.els_keys.values())
    licenses = [license_ for license_ in account.ip_licenses.values() if license_.registered]
    addresses = len({license_.ip for license_ in licenses})
    keys = kernelcare + imunify
    numbers = [kernelcare, imunify, els, len(licenses), addresses, len(account.ip_licenses), keys]
    numbers += [keys + els, keys + addresses, keys + len(licenses), keys + els + addresses, keys + els + len(licenses)]
    assert len(set(numbers)) == len(numbers)


def test_it_can_be_asked_in_all_ways() -> None:
    """The flags are good, and the monitoring key and both kinds of tokens work."""
    simulator = Simulator.demo(clock=lambda: NOW)
    account = simulator.accounts["acme_login"]
    counts = "uptodate=84;outofdate=4;unsupported=2;inactive=3"
    [monitoring_key] = account.monitoring_keys
    assert ask(simulator, f"/kcare/nagios/{monitoring_key}").text.startswith(f"4 machines are OUTOFDATE!|{counts}")
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{account.registration_token}").text == counts
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{token(account)}").text == counts
    flags = ask(simulator, "/status.json").json["data"]
    assert {flag for flag, value in flags.items() if not value} == {"rhn_overloaded", "rhn_queue_full"}


def test_els_keys_of_each_kind_occur() -> None:
    """The demo has ELS keys below the limit, unlimited, full and empty, with and without notes."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    assert {key.code: (len(key.servers), key.limit, bool(key.note)) for key in account.els_keys.values()} == {
        "CELS": (8, 10, True),
        "PHP_ELS": (4, 0, False),
        "UELS18": (3, 3, True),
        "CELS_8": (2, 5, True),
        "ELS_FOR_CENTOS7_PLUS_SLA": (0, 5, True),
    }
    older = Simulator.demo(clock=lambda: NOW, revision="2024-03").accounts["acme_login"]
    assert "ELS CELS7+SLA" in {key.code for key in older.els_keys.values()}


def test_cloudlinux_keys_of_each_kind_occur() -> None:
    """The demo has CloudLinux OS keys below the limit, unlimited and empty, and none in the revision of 2024-03."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    keys = account.cloudlinux_keys.values()
    assert {key.product_type: (len(key.servers), key.limit, bool(key.note)) for key in keys} == {
        "CLP": (14, 20, True),
        "CL": (3, 0, False),
        "CLS": (1, 5, True),
        "CLADMIN": (0, 10, True),
    }
    ips = {server.ip for key in keys for server in key.servers.values()}
    assert len(ips) == 18
    assert ips.isdisjoint(server.ip for server in account.kernelcare_servers())
    assert ips.isdisjoint(ip for ip, _ in account.ip_licenses)
    assert not Simulator.demo(clock=lambda: NOW, revision="2024-03").accounts["acme_login"].cloudlinux_keys


def test_groups_of_each_kind_occur() -> None:
    """One group has servers of both products, one shares a server with it, and one is empty."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    kinds = {name: Counter(type(server) for server in group.servers) for name, group in account.groups.items()}
    assert kinds == {
        "Frankfurt": {SimulatedKernelCareServer: 12, SimulatedImunifyServer: 5},
        "Kritisch für Köln": {SimulatedKernelCareServer: 7},
        "New customers": {},
    }
    frankfurt, critical, _ = (set(group.servers) for group in account.groups.values())
    assert len(frankfurt & critical) == 1


@pytest.mark.parametrize("seed", [1, 7, 12345])
def test_accelerate_wp_is_billed(seed: int) -> None:
    """AccelerateWP is billed in this month and the two before."""
    account = Simulator.demo(seed=seed, clock=lambda: NOW).accounts["acme_login"]
    assert list(account.awp_entities) == ["2024-02", "2024-03", "2024-04"]
    products = Counter(entity.product for entity in account.awp_entities["2024-04"])
    assert products["AWP_PREMIUM"] == 12
    assert products["AWP_CDN"] > 0
