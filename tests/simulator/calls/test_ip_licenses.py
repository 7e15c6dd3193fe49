"""The calls for IP licenses."""

import pytest

from cln_monitor.simulator import Account, Served, Simulator
from tests.simulator.asking import NOW, Reply, ask, data, fetch, refusal, snapshot, token

DAY = 24 * 3600
IP = "192.0.2.1"


def servers(simulator: Simulator, account: Account, ip: str) -> Reply:
    """Return the response with the licenses of addresses."""
    return ask(simulator, "/ipl/server.json", token=token(account), ip=ip)


def test_licenses_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Licenses of the account are listed by address and type, a number."""
    account.add_ip_license("192.0.2.1", 16, registered=False, created=NOW)
    account.add_ip_license("2001:db8::1", 5010, created=NOW - DAY)
    account.add_ip_license("192.0.2.1", created=NOW)
    simulator.add_account("other", "s").add_ip_license("192.0.2.2")
    assert ask(simulator, "/ipl/list.json", token=token(account)).json["data"] == [
        {"ip": "192.0.2.1", "type": 16, "registered": False, "created": "2024-04-30T11:26-0400"},
        {"ip": "2001:db8::1", "type": 5010, "registered": True, "created": "2024-04-29T11:26-0400"},
        {"ip": "192.0.2.1", "type": 1, "registered": True, "created": "2024-04-30T11:26-0400"},
    ]


def test_an_account_without_licenses_has_empty_lists(simulator: Simulator, account: Account) -> None:
    """An account without licenses has empty lists in both calls."""
    assert ask(simulator, "/ipl/list.json", token=token(account)).json["data"] == []
    assert servers(simulator, account, "192.0.2.1").json["data"] == []


def test_servers_are_given_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Each license has a row; a missing server or check-in is null."""
    info = "cloudlinux-release-5 (2.6.18-294.26.1.el5.lve0.8.18)"
    account.add_ip_license("192.0.2.1", 1, created=NOW - DAY, last_checkin=NOW - 60, server_info=info)
    account.add_ip_license("192.0.2.1", 16, created=NOW, last_checkin=None, server_info=info)
    account.add_ip_license("192.0.2.2", 42, registered=False, created=NOW)
    assert servers(simulator, account, "192.0.2.1,192.0.2.2").json["data"] == [
        {
            "server_info": info,
            "ip": "192.0.2.1",
            "type": 1,
            "registered": True,
            "created": "2024-04-29T11:26-0400",
            "last_checkin": "2024-04-30T11:25-0400",
        },
        {
            "server_info": info,
            "ip": "192.0.2.1",
            "type": 16,
            "registered": True,
            "created": "2024-04-30T11:26-0400",
            "last_checkin": None,
        },
        {
            "server_info": None,
            "ip": "192.0.2.2",
            "type": 42,
            "registered": False,
            "created": "2024-04-30T11:26-0400",
            "last_checkin": None,
        },
    ]


def test_only_the_addresses_asked_for_are_given(simulator: Simulator, account: Account) -> None:
    """Each requested address of the account is returned once, in any notation."""
    for ip in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        account.add_ip_license(ip)
    simulator.add_account("other", "s").add_ip_license("192.0.2.3")
    asked = "2001:DB8:0::1,192.0.2.2,192.0.2.2,192.0.2.3,192.0.2.4"
    assert [row["ip"] for row in servers(simulator, account, asked).json["data"]] == ["192.0.2.2", "2001:db8::1"]


def test_dates_have_the_configured_format(simulator: Simulator, account: Account) -> None:
    """Rows have the configured format of dates and of missing dates."""
    account.add_ip_license("192.0.2.1", registered=False, created=NOW)
    simulator.dates.style = "zulu"
    simulator.dates.never = "missing"
    [row] = servers(simulator, account, "192.0.2.1").json["data"]
    assert row["created"] == "2024-04-30T15:26Z"
    assert "last_checkin" not in row


def test_a_hundred_addresses_a_call_and_no_more(served: Served, simulator: Simulator, account: Account) -> None:
    """A call accepts 100 addresses in their longest form, and not more."""
    ips = [f"2001:0db8:0000:0000:0000:0000:0000:{number:04x}" for number in range(101)]
    for ip in ips:
        account.add_ip_license(ip)
    most = fetch(served, "/ipl/server.json", token=token(account), ip=",".join(ips[:100]))
    assert len(most.json["data"]) == 100
    assert servers(simulator, account, ",".join(ips)).json == {
        "message": "Too many IP addresses: 101, at most 100 are allowed",
        "type": None,
        "success": False,
        "data": None,
    }


@pytest.mark.parametrize("malformed", ["300.1.1.1", "web1.example.net", "192.0.2.1/32", "192.0.2.01", "", " 192.0.2.1"])
def test_a_malformed_address_is_refused(simulator: Simulator, account: Account, malformed: str) -> None:
    """A malformed address among valid ones is refused by name."""
    account.add_ip_license("192.0.2.1")
    refused = servers(simulator, account, f"192.0.2.1,{malformed}").json
    assert (refused["success"], refused["message"]) == (False, f"Invalid IP address: {malformed}")


def test_a_missing_argument_is_refused(simulator: Simulator, account: Account) -> None:
    """A missing argument is refused by name."""
    refused = ask(simulator, "/ipl/server.json", token=token(account)).json
    assert (refused["success"], refused["message"]) == (False, "Required parameter 'ip' is not present")


def test_check_ins_follow_the_simulated_time(simulator: Simulator, account: Account) -> None:
    """The server of a used license checks in again within five hours."""
    used = account.add_ip_license("192.0.2.1")
    unused = account.add_ip_license("192.0.2.2", registered=False)
    assert (used.last_checkin(NOW), unused.last_checkin(NOW)) == (NOW, None)
    simulator.advance(5 * 3600)
    later = ask(simulator, "/ipl/server.json", token=token(account, simulator.now()), ip="192.0.2.1,192.0.2.2").json
    heard, never = (row["last_checkin"] for row in later["data"])
    assert "2024-04-30T11:56-0400" < heard <= "2024-04-30T16:26-0400"
    assert never is None


@pytest.fixture
def other(simulator: Simulator) -> Account:
    """Return another account with CloudLinux OS and Imunify360 unlimited on the address."""
    other = simulator.add_account("other", "s")
    other.add_ip_license(IP, 1)
    other.add_ip_license(IP, 49)
    return other


@pytest.mark.usefixtures("other")
def test_available_types(simulator: Simulator, account: Account) -> None:
    """Available are documented types that no account has; owned are those of the account."""
    account.add_ip_license(IP, 16)
    account.add_ip_license(IP, 5010)
    assert data(simulator, account, "/ipl/availability.json", ip=IP) == {
        "available": [4, 5, 1002, 17, 40, 41, 42, 43],
        "owned": [16, 5010],
    }
    assert data(simulator, account, "/ipl/availability.json", ip="192.0.2.2") == {
        "available": [1, 4, 5, 1002, 16, 17, 40, 41, 42, 43, 49],
        "owned": [],
    }


@pytest.mark.usefixtures("other")
def test_a_check_returns_types_of_all_accounts(simulator: Simulator, account: Account) -> None:
    """A check returns the types of all accounts."""
    account.add_ip_license(IP, 16)
    assert data(simulator, account, "/ipl/check.json", ip=IP) == [1, 16, 49]
    assert data(simulator, account, "/ipl/check.json", ip="192.0.2.2") == []


def test_a_license_is_registered(simulator: Simulator, account: Account) -> None:
    """A registered license is listed and unused, and is not available to others."""
    row = data(simulator, account, "/ipl/register.json", ip="2001:DB8::1", type="16", els_allowed="true")
    assert row == {"ip": "2001:db8::1", "type": 16, "registered": False, "created": "2024-04-30T11:26-0400"}
    assert data(simulator, account, "/ipl/list.json") == [row]
    license_ = account.ip_licenses["2001:db8::1", 16]
    assert (license_.els_allowed, license_.last_checkin(NOW), license_.server_info) == (True, None, None)
    other = simulator.add_account("other", "s")
    assert 16 not in data(simulator, other, "/ipl/availability.json", ip="2001:db8::1")["available"]


def test_an_own_license_is_answered_as_it_is(simulator: Simulator, account: Account) -> None:
    """Registering an own license again changes nothing, for any type."""
    for type_ in (16, 5010):
        account.add_ip_license(IP, type_, created=NOW - DAY)
        before = snapshot(account)
        row = data(simulator, account, "/ipl/register.json", ip=IP, type=str(type_), els_allowed="true")
        assert row == {"ip": IP, "type": type_, "registered": True, "created": "2024-04-29T11:26-0400"}
        assert snapshot(account) == before


@pytest.mark.usefixtures("other")
@pytest.mark.parametrize(
    ("type_", "message"),
    [("1", "IP license is owned by another customer"), ("5010", "Invalid type: 5010"), ("0", "Invalid type: 0")],
)
def test_foreign_or_unknown_licenses_are_not_registered(
    simulator: Simulator, account: Account, type_: str, message: str
) -> None:
    """A license of another account or an unknown type is refused."""
    assert refusal(simulator, account, "/ipl/register.json", ip=IP, type=type_) == message
    assert not account.ip_licenses
    assert data(simulator, account, "/ipl/register.json", ip=IP, type="4")["type"] == 4


@pytest.mark.parametrize("type_", [40, 41, 42, 43, 49])
@pytest.mark.parametrize("type_to", [41, 42, 43, 49])
def test_an_imunify_license_is_converted_up_and_down(
    simulator: Simulator, account: Account, type_: int, type_to: int
) -> None:
    """An Imunify license is converted to each Imunify360 type but its own."""
    license_ = account.add_ip_license(IP, type_)
    possible = type_ != type_to
    answer = data(simulator, account, "/ipl/convert.json", ip=IP, type=str(type_), type_to=str(type_to))
    assert answer is possible
    assert account.ip_licenses == {(IP, type_to): license_}
    assert license_.type == type_to


@pytest.mark.parametrize(
    ("type_", "type_to"),
    [(41, 40), (16, 41), (41, 16), (42, 41), (41, 49), (41, 43), (1, 1), (41, 5010)],
    ids=["to AV+", "from KernelCare", "to KernelCare", "not held", "theirs", "own", "no Imunify", "unknown"],
)
def test_a_license_that_cannot_be_converted_is_false(
    simulator: Simulator, account: Account, other: Account, type_: int, type_to: int
) -> None:
    """An impossible conversion is false and changes nothing for any account."""
    for held in (16, 41, 43):
        account.add_ip_license(IP, held)
    before = (snapshot(account), snapshot(other))
    answer = data(simulator, account, "/ipl/convert.json", ip=IP, type=str(type_), type_to=str(type_to))
    assert answer is False
    assert (snapshot(account), snapshot(other)) == before


def test_licenses_are_removed_by_type_or_all_of_an_address(
    simulator: Simulator, account: Account, other: Account
) -> None:
    """A removal is true if there was a license of the account."""
    for ip, type_ in ((IP, 16), (IP, 41), (IP, 4), ("192.0.2.2", 1)):
        account.add_ip_license(ip, type_)
    theirs = snapshot(other)
    path = "/ipl/remove.json"
    assert data(simulator, account, path, ip=IP, type="16") is True
    assert data(simulator, account, path, ip=IP, type="16") is False
    assert data(simulator, account, path, ip=IP, type="1") is False
    assert list(account.ip_licenses) == [(IP, 41), (IP, 4), ("192.0.2.2", 1)]
    assert data(simulator, account, path, ip=IP, type="") is True
    assert data(simulator, account, path, ip=IP) is False
    assert list(account.ip_licenses) == [("192.0.2.2", 1)]
    assert snapshot(other) == theirs


def test_an_update_sets_whether_cloudlinux_6_is_allowed(simulator: Simulator, account: Account, other: Account) -> None:
    """An update sets the flag for one type or all; unknown ones are false."""
    for type_ in (16, 41):
        account.add_ip_license(IP, type_)
    path = "/ipl/update.json"
    assert data(simulator, account, path, ip=IP, type="16", els_allowed="true") is True
    assert snapshot(account)["ip_licenses"] == {(IP, 16): True, (IP, 41): False}
    assert data(simulator, account, path, ip=IP, els_allowed="true") is True
    assert data(simulator, account, path, ip=IP, type="16", els_allowed="false") is True
    assert data(simulator, account, path, ip=IP) is True
    assert snapshot(account)["ip_licenses"] == {(IP, 16): False, (IP, 41): True}
    for missing in ({"ip": "192.0.2.2"}, {"ip": IP, "type": "1"}):
        assert data(simulator, account, path, els_allowed="true", **missing) is False
    assert snapshot(other)["ip_licenses"] == {(IP, 1): False, (IP, 49): False}
