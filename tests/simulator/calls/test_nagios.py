"""The texts of `/kcare/nagios…`."""

import pytest

from cln_monitor.simulator import Account, SimulatedKernelCareKey, Simulator
from tests.simulator.asking import NOW, ask, data, token

MONITORING_KEY = "MonitoringKey00001"


@pytest.fixture
def key(account: Account) -> SimulatedKernelCareKey:
    """Return the key `K`, without servers."""
    return account.add_kernelcare_key("K")


def add(key: SimulatedKernelCareKey, **states: int) -> None:
    """Add servers, with their number by state."""
    for state, count in states.items():
        for _ in range(count):
            key.add_server(patch_state=state)


def test_all_good(simulator: Simulator, key: SimulatedKernelCareKey) -> None:
    """The text for good servers is that of the product's screenshots, with the counts."""
    add(key, uptodate=3)
    reply = ask(simulator, "/kcare/nagios/K")
    assert reply.text == "All 3 servers are up to date|uptodate=3;outofdate=0;unsupported=0;inactive=0"
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain;charset=UTF-8")


def test_bad_servers_come_with_200_counts_and_a_line_each(simulator: Simulator, key: SimulatedKernelCareKey) -> None:
    """Bad servers are listed after a line with the worst state and counts."""
    key.add_server(hostname="host.example.com", ip="192.0.2.14", patch_state="outofdate")
    key.add_server(hostname="old.example.com", ip="192.0.2.15", patch_state="unsupported")
    key.add_server(hostname="gone.example.com", ip="2001:db8::1", created=0, last_checkin=NOW - 31 * 24 * 3600)
    add(key, uptodate=2)
    reply = ask(simulator, "/kcare/nagios/K")
    assert reply.status == 200
    assert reply.text == (
        "1 machines are OUTOFDATE!|uptodate=2;outofdate=1;unsupported=1;inactive=1\n"
        "host.example.com (192.0.2.14) is OUTOFDATE\n"
        "old.example.com (192.0.2.15) is UNSUPPORTED\n"
        "gone.example.com (2001:db8::1) is INACTIVE"
    )


@pytest.mark.parametrize(
    ("states", "first"),
    [
        (
            {"unsupported": 2, "inactive": 1},
            "2 machines are UNSUPPORTED!|uptodate=0;outofdate=0;unsupported=2;inactive=1",
        ),
        ({"inactive": 1}, "1 machines are INACTIVE!|uptodate=0;outofdate=0;unsupported=0;inactive=1"),
    ],
)
def test_without_one_out_of_date_the_next_state_is_named(
    simulator: Simulator, key: SimulatedKernelCareKey, states: dict[str, int], first: str
) -> None:
    """Without OUTOFDATE, the first line has the next state in order."""
    add(key, **states)
    assert ask(simulator, "/kcare/nagios/K").text.splitlines()[0] == first


def test_unknown_and_empty_keys(simulator: Simulator, key: SimulatedKernelCareKey) -> None:
    """Unknown and empty keys have the same text."""
    assert ask(simulator, "/kcare/nagios/NOKEY").text == "Servers not found for key NOKEY"
    assert ask(simulator, f"/kcare/nagios/{key.key}").text == "Servers not found for key K"


def test_a_monitoring_key_answers_for_the_whole_account(
    simulator: Simulator, account: Account, key: SimulatedKernelCareKey
) -> None:
    """A monitoring key covers all keys of its account only."""
    add(key, uptodate=1)
    add(account.add_kernelcare_key(), outofdate=1)
    add(simulator.add_account("other", "s").add_kernelcare_key(), outofdate=5)
    account.add_monitoring_key(MONITORING_KEY)
    assert ask(simulator, f"/kcare/nagios/{MONITORING_KEY}").text.splitlines() == [
        "1 machines are OUTOFDATE!|uptodate=1;outofdate=1;unsupported=0;inactive=0",
        "db1.fra1.example.net (198.51.100.1) is OUTOFDATE",
    ]


def test_a_reseller_gets_counts_alone(simulator: Simulator, account: Account, key: SimulatedKernelCareKey) -> None:
    """The reseller call returns counts, with the registration token or a fresh token."""
    account.registration_token = "static/token"
    add(key, uptodate=9, outofdate=1, unsupported=3, inactive=2)
    counts = "uptodate=9;outofdate=1;unsupported=3;inactive=2"
    fresh = token(account).replace("|", "%7C")
    assert ask(simulator, "/kcare/nagios-res/acme_login/static%2Ftoken").text == counts
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{fresh}").text == counts
    assert ask(simulator, f"/kcare/nagios-res/acme_login/{token(account)}").text == counts


def test_a_reseller_without_the_right_token(simulator: Simulator, account: Account) -> None:
    """Unknown logins and invalid tokens have their own texts, with status 200."""
    other = simulator.add_account("other", "s", registration_token="theirs")
    wrong = "Registration token not found for reseller acme_login not found"
    for invalid in ("theirs", "None", token(other), token(account, NOW - 1801)):
        reply = ask(simulator, f"/kcare/nagios-res/acme_login/{invalid}")
        assert (reply.status, reply.text) == (200, wrong)
    assert ask(simulator, "/kcare/nagios-res/nobody/theirs").text == "Reseller not found"


@pytest.mark.parametrize("malformed", ["", "a" * 15, "a" * 33, "a" * 15 + "-", "a" * 16 + "\n", "é" * 16])
def test_registering_a_malformed_key_is_code_1(simulator: Simulator, account: Account, malformed: str) -> None:
    """A malformed monitoring key has code 1 and is not registered."""
    assert ask(simulator, "/kcare/nagios/register_key.plain", key=malformed).text == "success:true\ncode:1"
    assert not account.monitoring_keys


def test_registering_from_an_unlicensed_address_is_code_2(simulator: Simulator, account: Account) -> None:
    """A caller without a licensed address has code 2."""
    path = "/kcare/nagios/register_key.plain"
    assert ask(simulator, path, "192.0.2.9", key=MONITORING_KEY).text == "success:true\ncode:2"
    account.kernelcare_ips = {"192.0.2.9"}
    assert ask(simulator, path, "127.0.0.1", key=MONITORING_KEY).text == "success:true\ncode:2"
    assert ask(simulator, path, "192.0.2.9", key=MONITORING_KEY).text == "success:true\ncode:0"


def test_a_registered_key_answers_for_the_licensee(
    simulator: Simulator, account: Account, key: SimulatedKernelCareKey
) -> None:
    """Registering a key from an address of another account moves it there."""
    add(key, uptodate=2)
    other = simulator.add_account("other", "s")
    other.kernelcare_ips = {"192.0.2.9"}
    path = "/kcare/nagios/register_key.plain"
    assert ask(simulator, path, key=MONITORING_KEY).text == "success:true\ncode:0"
    assert ask(simulator, f"/kcare/nagios/{MONITORING_KEY}").text.startswith("All 2 servers")
    assert ask(simulator, path, "192.0.2.9", key=MONITORING_KEY).text == "success:true\ncode:0"
    assert (account.monitoring_keys, other.monitoring_keys) == (set(), {MONITORING_KEY})
    assert ask(simulator, f"/kcare/nagios/{MONITORING_KEY}").text == f"Servers not found for key {MONITORING_KEY}"


@pytest.mark.parametrize(("type_", "code"), [("16", 0), ("17", 0), ("1", 2)])
def test_a_kernelcare_ip_license_lets_its_address_register(
    simulator: Simulator, account: Account, type_: str, code: int
) -> None:
    """A KernelCare IP license allows its address to register."""
    path, ip = "/kcare/nagios/register_key.plain", "192.0.2.9"
    data(simulator, account, "/ipl/register.json", ip=ip, type=type_)
    assert ask(simulator, path, ip, key=MONITORING_KEY).text == f"success:true\ncode:{code}"
    data(simulator, account, "/ipl/remove.json", ip=ip)
    assert ask(simulator, path, ip, key=MONITORING_KEY).text == "success:true\ncode:2"
