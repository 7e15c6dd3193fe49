"""The calls for KernelCare keys and servers."""

import pytest

from cln_monitor.simulator import Account, Simulator
from tests.simulator.asking import NOW, Reply, ask, data, refusal, token

DAY = 24 * 3600


def servers(simulator: Simulator, account: Account, key: str) -> Reply:
    """Return the response with the servers of a key."""
    return ask(simulator, "/kcare/key/servers.json", token=token(account), key=key)


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """All keys of the account and no others are listed; the limit is a number."""
    account.add_kernelcare_key("WsTs821nSAtiastD", limit=2, note="Some custom key note", enabled=False, created=NOW)
    account.add_kernelcare_key("K2", limit=0, created=NOW - DAY)
    simulator.add_account("other", "s").add_kernelcare_key("K3")
    assert ask(simulator, "/kcare/key/list.json", token=token(account)).json["data"] == [
        {
            "key": "WsTs821nSAtiastD",
            "enabled": False,
            "created": "2024-04-30T11:26-0400",
            "limit": 2,
            "note": "Some custom key note",
        },
        {"key": "K2", "enabled": True, "created": "2024-04-29T11:26-0400", "limit": 0, "note": ""},
    ]


def test_an_account_without_keys_has_an_empty_list(simulator: Simulator, account: Account) -> None:
    """An account without keys has an empty list."""
    assert ask(simulator, "/kcare/key/list.json", token=token(account)).json["data"] == []


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Servers are listed with their last check-in, or null."""
    key = account.add_kernelcare_key("K")
    key.add_server("s096slnkaAtoiAsd", ip="192.0.2.1", created=NOW - DAY, last_checkin=NOW - 60)
    key.add_server("s2", ip="2001:db8::1", created=NOW - DAY, last_checkin=None)
    assert servers(simulator, account, "K").json["data"] == [
        {
            "server_id": "s096slnkaAtoiAsd",
            "ip": "192.0.2.1",
            "created": "2024-04-29T11:26-0400",
            "last_checkin": "2024-04-30T11:25-0400",
        },
        {"server_id": "s2", "ip": "2001:db8::1", "created": "2024-04-29T11:26-0400", "last_checkin": None},
    ]


def test_dates_have_the_configured_format(simulator: Simulator, account: Account) -> None:
    """Rows have the configured format of dates and of missing dates."""
    account.add_kernelcare_key("K").add_server("s", ip="192.0.2.1", created=NOW, last_checkin=None)
    simulator.dates.style = "zulu"
    simulator.dates.never = "missing"
    assert servers(simulator, account, "K").json["data"] == [
        {"server_id": "s", "ip": "192.0.2.1", "created": "2024-04-30T15:26Z"}
    ]


def test_a_key_without_servers_has_an_empty_list(simulator: Simulator, account: Account) -> None:
    """A key without servers has an empty list."""
    account.add_kernelcare_key("K")
    assert servers(simulator, account, "K").json == {
        "message": None,
        "type": None,
        "success": True,
        "data": [],
    }


def test_unknown_and_foreign_keys_are_not_found(simulator: Simulator, account: Account) -> None:
    """Unknown keys and those of other accounts are refused alike."""
    simulator.add_account("other", "s").add_kernelcare_key("THEIRS")
    refused = {"message": "Key not found", "type": None, "success": False, "data": None}
    assert servers(simulator, account, "NOBODYS").json == refused
    assert servers(simulator, account, "THEIRS").json == refused


def test_a_missing_argument_is_refused(simulator: Simulator, account: Account) -> None:
    """A missing argument is refused by name."""
    reply = ask(simulator, "/kcare/key/servers.json", token=token(account))
    assert reply.json["success"] is False
    assert reply.json["message"] == "Required parameter 'key' is not present"


def test_check_ins_follow_the_simulated_time(simulator: Simulator, account: Account) -> None:
    """A healthy server checks in again within five hours."""
    account.add_kernelcare_key("K").add_server()
    assert servers(simulator, account, "K").json["data"][0]["last_checkin"] == "2024-04-30T11:26-0400"
    simulator.advance(5 * 3600)
    later = ask(simulator, "/kcare/key/servers.json", token=token(account, simulator.now()), key="K").json
    assert "2024-04-30T11:56-0400" < later["data"][0]["last_checkin"] <= "2024-04-30T16:26-0400"


def test_a_key_is_created(simulator: Simulator, account: Account) -> None:
    """A created key is returned, and lists have it."""
    key = data(simulator, account, "/kcare/key/create.json", limit="2", note="Key description")
    assert data(simulator, account, "/kcare/key/list.json") == [
        {
            "key": key,
            "enabled": True,
            "created": "2024-04-30T11:26-0400",
            "limit": 2,
            "note": "Key description",
        }
    ]
    assert servers(simulator, account, key).json["data"] == []
    assert account.kernelcare_keys[data(simulator, account, "/kcare/key/create.json", limit="0")].note == ""


def test_a_key_is_deleted_with_its_servers(simulator: Simulator, account: Account) -> None:
    """Deleting a key is true; unknown and foreign keys are false and remain."""
    account.add_kernelcare_key("K").add_server("s1")
    account.add_imunify_key("IM")
    theirs = simulator.add_account("other", "s").add_kernelcare_key("THEIRS")
    assert data(simulator, account, "/kcare/key/delete.json", key="K") is True
    for key in ("K", "THEIRS", "IM"):
        assert data(simulator, account, "/kcare/key/delete.json", key=key) is False
    assert (list(account.kernelcare_keys), list(account.imunify_keys)) == ([], ["IM"])
    assert simulator.accounts["other"].kernelcare_keys == {"THEIRS": theirs}
    assert ask(simulator, "/kcare/nagios/K").text == "Servers not found for key K"


def test_a_server_is_removed_once(simulator: Simulator, account: Account) -> None:
    """A removed server is not found, which is not a failure; others remain."""
    key = account.add_kernelcare_key("K")
    key.add_server("s1")
    key.add_server("s2")
    path = "/kcare/srv/remove.json"
    assert data(simulator, account, path, server_id="s1") == {"server_id": "s1", "key": "K"}
    assert list(key.servers) == ["s2"]
    not_found = {"message": "Server not found", "type": None, "success": True, "data": None}
    assert ask(simulator, path, token=token(account), server_id="s1").json == not_found
    simulator.add_account("other", "s").add_kernelcare_key().add_server("theirs")
    assert ask(simulator, path, token=token(account), server_id="theirs").json == not_found
    assert simulator.accounts["other"].counts()["kernelcare_servers"] == 1


@pytest.mark.parametrize(
    "sent",
    [
        "192.0.2.0/24 2001:db8::/32",
        "192.0.2.0/24,2001:db8::/32",
        "192.0.2.0/24;2001:db8::/32",
        " 192.0.2.7/24 ;, 2001:DB8:0::1/32,192.0.2.0/24;",
    ],
)
def test_networks_are_added_to_a_key(simulator: Simulator, account: Account, sent: str) -> None:
    """Networks are separated by blanks, commas and semicolons, normalized, and kept once."""
    key = account.add_kernelcare_key("K")
    path = "/kcare/key/set_cidr.json"
    assert data(simulator, account, path, key="K", cidr="198.51.100.0/25") == {"code": 0}
    assert data(simulator, account, path, key="K", cidr=sent) == {"code": 0}
    assert key.cidrs == ["198.51.100.0/25", "192.0.2.0/24", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("300.0.2.0/24", 1),
        ("web1/24", 1),
        ("/24", 1),
        ("fe80::1%eth0/64", 1),
        ("300.0.2.0/99", 1),
        ("192.0.2.0/33", 2),
        ("2001:db8::/129", 2),
        ("192.0.2.0/255.255.255.0", 2),
        ("192.0.2.0/", 2),
        ("192.0.2.0", 2),
        ("192.0.2.0/24/24", 2),
        ("192.0.2.0/33,300.0.2.0/24", 2),
        ("192.0.2.0/-1", 2),
    ],
)
def test_an_irregular_network_has_a_code(simulator: Simulator, account: Account, sent: str, code: int) -> None:
    """The first invalid network determines the code, and no network is added."""
    key = account.add_kernelcare_key("K")
    answer = data(simulator, account, "/kcare/key/set_cidr.json", key="K", cidr=f"198.51.100.0/24,{sent}")
    assert answer == {"code": code}
    assert key.cidrs == []


def test_a_list_without_networks_is_a_missing_argument(simulator: Simulator, account: Account) -> None:
    """A list without networks counts as a missing argument."""
    account.add_kernelcare_key("K")
    message = refusal(simulator, account, "/kcare/key/set_cidr.json", key="K", cidr=" ,; ")
    assert message == "Required parameter 'cidr' is not present"
