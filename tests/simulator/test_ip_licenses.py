"""IP licences."""

import pytest

from cln_monitor.simulator import Account, Served, Simulator

from .asking import NOW, Reply, ask, fetch, token

DAY = 24 * 3600


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
