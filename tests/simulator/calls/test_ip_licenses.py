"""The calls on IP licences."""

import pytest

from cln_monitor.simulator import Account, Served, Simulator
from tests.simulator.asking import NOW, Reply, ask, data, fetch, refusal, snapshot, token

DAY = 24 * 3600
IP = "192.0.2.1"


def servers(simulator: Simulator, account: Account, ip: str) -> Reply:
    """Ask for the licences of some addresses."""
    return ask(simulator, "/ipl/server.json", token=token(account), ip=ip)


def test_licences_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """All of the account and no other's, a row for each type of an address; the type is a number."""
    account.add_ip_license("192.0.2.1", 16, registered=False, created=NOW)
    account.add_ip_license("2001:db8::1", 5010, created=NOW - DAY)
    account.add_ip_license("192.0.2.1", created=NOW)
    simulator.add_account("other", "s").add_ip_license("192.0.2.2")
    assert ask(simulator, "/ipl/list.json", token=token(account)).json["data"] == [
        {"ip": "192.0.2.1", "type": 16, "registered": False, "created": "2024-04-30T11:26-0400"},
        {"ip": "2001:db8::1", "type": 5010, "registered": True, "created": "2024-04-29T11:26-0400"},
        {"ip": "192.0.2.1", "type": 1, "registered": True, "created": "2024-04-30T11:26-0400"},
    ]


def test_an_account_without_licences_has_empty_lists(simulator: Simulator, account: Account) -> None:
    """In both calls."""
    assert ask(simulator, "/ipl/list.json", token=token(account)).json["data"] == []
    assert servers(simulator, account, "192.0.2.1").json["data"] == []


def test_servers_are_given_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """A row for each type; null where a licence has no server, or one that never checked in."""
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
    """Once each however often and however spelled; those of nobody and of somebody else have no row."""
    for ip in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        account.add_ip_license(ip)
    simulator.add_account("other", "s").add_ip_license("192.0.2.3")
    asked = "2001:DB8:0::1,192.0.2.2,192.0.2.2,192.0.2.3,192.0.2.4"
    assert [row["ip"] for row in servers(simulator, account, asked).json["data"]] == ["192.0.2.2", "2001:db8::1"]


def test_dates_are_spelled_as_set(simulator: Simulator, account: Account) -> None:
    """Style and missing dates reach the rows."""
    account.add_ip_license("192.0.2.1", registered=False, created=NOW)
    simulator.dates.style = "zulu"
    simulator.dates.never = "missing"
    [row] = servers(simulator, account, "192.0.2.1").json["data"]
    assert row["created"] == "2024-04-30T15:26Z"
    assert "last_checkin" not in row


def test_a_hundred_addresses_a_call_and_no_more(served: Served, simulator: Simulator, account: Account) -> None:
    """Over HTTP, with the longest spelling an address has."""
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
    """Also among good ones; the message names it."""
    account.add_ip_license("192.0.2.1")
    refused = servers(simulator, account, f"192.0.2.1,{malformed}").json
    assert (refused["success"], refused["message"]) == (False, f"Invalid IP address: {malformed}")


def test_a_missing_argument_is_refused(simulator: Simulator, account: Account) -> None:
    """The message names it."""
    refused = ask(simulator, "/ipl/server.json", token=token(account)).json
    assert (refused["success"], refused["message"]) == (False, "Required parameter 'ip' is not present")


def test_check_ins_come_in_as_time_goes_on(simulator: Simulator, account: Account) -> None:
    """Of a licence that is used; five hours later its server has checked in again."""
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
    """Another account, which has CloudLinux OS and Imunify360 unlimited on that address."""
    other = simulator.add_account("other", "s")
    other.add_ip_license(IP, 1)
    other.add_ip_license(IP, 49)
    return other


@pytest.mark.usefixtures("other")
def test_available_is_what_nobody_has(simulator: Simulator, account: Account) -> None:
    """Of the types of the document; owned is what the account has, of whatever type."""
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
def test_a_check_tells_what_anybody_has(simulator: Simulator, account: Account) -> None:
    """Their types and ours, not whose they are."""
    account.add_ip_license(IP, 16)
    assert data(simulator, account, "/ipl/check.json", ip=IP) == [1, 16, 49]
    assert data(simulator, account, "/ipl/check.json", ip="192.0.2.2") == []


def test_a_licence_is_registered(simulator: Simulator, account: Account) -> None:
    """No server uses it yet; lists have it, and others see it taken."""
    row = data(simulator, account, "/ipl/register.json", ip="2001:DB8::1", type="16", els_allowed="true")
    assert row == {"ip": "2001:db8::1", "type": 16, "registered": False, "created": "2024-04-30T11:26-0400"}
    assert data(simulator, account, "/ipl/list.json") == [row]
    license_ = account.ip_licenses["2001:db8::1", 16]
    assert (license_.els_allowed, license_.last_checkin(NOW), license_.server_info) == (True, None, None)
    other = simulator.add_account("other", "s")
    assert 16 not in data(simulator, other, "/ipl/availability.json", ip="2001:db8::1")["available"]


def test_an_own_licence_is_answered_as_it_is(simulator: Simulator, account: Account) -> None:
    """Registering it again changes nothing, also of a type that no document knows."""
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
def test_a_licence_of_somebody_else_or_of_no_product_is_not_registered(
    simulator: Simulator, account: Account, type_: str, message: str
) -> None:
    """Another type on the same address is."""
    assert refusal(simulator, account, "/ipl/register.json", ip=IP, type=type_) == message
    assert not account.ip_licenses
    assert data(simulator, account, "/ipl/register.json", ip=IP, type="4")["type"] == 4


@pytest.mark.parametrize("type_", [40, 41, 42, 43, 49])
@pytest.mark.parametrize("type_to", [41, 42, 43, 49])
def test_an_imunify_licence_is_converted_up_and_down(
    simulator: Simulator, account: Account, type_: int, type_to: int
) -> None:
    """To all of Imunify360; it is the same licence, and to its own type it is none."""
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
def test_a_licence_that_cannot_be_converted_is_false(
    simulator: Simulator, account: Account, other: Account, type_: int, type_to: int
) -> None:
    """And nothing changes for anybody."""
    for held in (16, 41, 43):
        account.add_ip_license(IP, held)
    before = (snapshot(account), snapshot(other))
    answer = data(simulator, account, "/ipl/convert.json", ip=IP, type=str(type_), type_to=str(type_to))
    assert answer is False
    assert (snapshot(account), snapshot(other)) == before


def test_licences_are_removed_by_type_or_all_of_an_address(
    simulator: Simulator, account: Account, other: Account
) -> None:
    """True when there was one; those of others stay, and are false."""
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
    """Of a type or of all of the address; without the flag nothing changes, and what is not owned is false."""
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
