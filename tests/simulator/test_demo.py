"""The demonstration."""

from collections import Counter

import pytest

from cln_monitor.simulator import Simulator

from .asking import NOW, ask, token

DAY = 24 * 3600


@pytest.mark.parametrize("seed", [1, 7, 12345])
def test_every_state_worth_showing_occurs(seed: int) -> None:
    """Whatever the seed: keys nearly full, full, unlimited, empty, disabled; all check-ins, all patch states."""
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
    """Under the same address: the older registration is silent, the newer one well."""
    account = Simulator.demo(clock=lambda: NOW).accounts["acme_login"]
    by_ip = Counter(server.ip for server in account.kernelcare_servers())
    [twice] = [ip for ip, count in by_ip.items() if count > 1]
    old, new = (server.last_checkin(NOW) for server in account.kernelcare_servers() if server.ip == twice)
    assert old is not None
    assert old <= NOW - 12 * DAY
    assert new is not None
    assert new > NOW - 5 * 3600


def test_it_can_be_asked_in_all_ways() -> None:
    """The flags are good, the monitoring key and both kinds of token answer."""
    simulator = Simulator.demo(clock=lambda: NOW)
    account = simulator.accounts["acme_login"]
    counts = "uptodate=84;outofdate=4;unsupported=2;inactive=3"
    [monitoring_key] = account.monitoring_keys
    assert ask(simulator, f"/kcare/nagios/{monitoring_key}").text.startswith(f"4 machines are OUTOFDATE!|{counts}")
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{account.registration_token}").text == counts
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{token(account)}").text == counts
    flags = ask(simulator, "/status.json").json["data"]
    assert {flag for flag, value in flags.items() if not value} == {"rhn_overloaded", "rhn_queue_full"}
