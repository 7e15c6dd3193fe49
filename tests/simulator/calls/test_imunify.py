"""The calls for Imunify keys and servers."""

import re

import pytest

from cln_monitor.simulator import Account, Simulator
from cln_monitor.simulator.model import IMUNIFY_CODES
from tests.simulator.asking import NOW, ask, data, refusal, snapshot, token


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Keys are listed with their limit and number of servers as strings."""
    account.add_imunify_key("IM1SOMENONSENCETEXT", code="360_250", limit=2)
    account.add_imunify_key("IMUNOTHERKEY", code="360_UN", limit=42).add_server()
    simulator.add_account("other", "s").add_imunify_key()
    assert ask(simulator, "/im/key/list.json", token=token(account)).json["data"] == [
        {"key": "IM1SOMENONSENCETEXT", "limit": "2", "code": "360_250", "servers": "0"},
        {"key": "IMUNOTHERKEY", "limit": "42", "code": "360_UN", "servers": "1"},
    ]


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Each row of a server has its key."""
    key = account.add_imunify_key("IMKEY")
    key.add_server("SSERVER_ID_1", ip="192.0.2.1", last_checkin=NOW)
    key.add_server("SSERVER_ID_2", ip="192.0.2.2", last_checkin=None)
    assert ask(simulator, "/im/srv/list.json", token=token(account), key="IMKEY").json["data"] == [
        {"id": "SSERVER_ID_1", "ip": "192.0.2.1", "key": "IMKEY", "last_checkin": "2024-04-30T11:26-0400"},
        {"id": "SSERVER_ID_2", "ip": "192.0.2.2", "key": "IMKEY", "last_checkin": None},
    ]


def test_an_empty_key_has_an_empty_list_and_an_unknown_one_is_refused(simulator: Simulator, account: Account) -> None:
    """A KernelCare key is refused as an Imunify key."""
    account.add_imunify_key("IMKEY")
    account.add_kernelcare_key("K")
    assert ask(simulator, "/im/srv/list.json", token=token(account), key="IMKEY").json["data"] == []
    refused = ask(simulator, "/im/srv/list.json", token=token(account), key="K").json
    assert (refused["success"], refused["message"]) == (False, "Key not found")


@pytest.mark.parametrize("code", IMUNIFY_CODES)
def test_a_key_is_created(simulator: Simulator, account: Account, code: str) -> None:
    """A created key is returned without a number of servers, which lists have."""
    row = data(simulator, account, "/im/key/create.json", code=code, limit="3", note="n")
    assert {**row, "key": ""} == {"key": "", "limit": "3", "code": code}
    assert re.fullmatch(r"IM[A-Z0-9]{17,}", row["key"])
    assert data(simulator, account, "/im/key/list.json") == [{**row, "servers": "0", "note": "n"}]
    assert account.imunify_keys[row["key"]].note == "n"


@pytest.mark.parametrize("code", ["360_2", "avp", "CELS"])
def test_a_key_of_an_unknown_product_is_not_created(simulator: Simulator, account: Account, code: str) -> None:
    """A key of an unknown product is refused by name."""
    assert refusal(simulator, account, "/im/key/create.json", code=code, limit="2") == f"Invalid code: {code}"
    assert not account.imunify_keys


def test_an_update_answers_with_the_row(simulator: Simulator, account: Account) -> None:
    """An update returns the row with the number of servers, which cannot be set."""
    account.add_imunify_key("IM1", code="360_250").add_server()
    row = data(simulator, account, "/im/key/update.json", key="IM1", limit="4", servers="9")
    assert row == {"key": "IM1", "limit": "4", "code": "360_250", "servers": "1"}
    assert data(simulator, account, "/im/key/list.json") == [row]


def test_a_key_is_removed_with_its_servers(simulator: Simulator, account: Account) -> None:
    """Removing a key returns its servers; a removed key is not found."""
    key = account.add_imunify_key("IM1")
    key.add_server("i1")
    key.add_server("i2")
    account.add_imunify_key("IM2")
    assert data(simulator, account, "/im/key/remove.json", key="IM1") == [
        {"id": "i1", "key": "IM1"},
        {"id": "i2", "key": "IM1"},
    ]
    assert data(simulator, account, "/im/key/remove.json", key="IM2") == []
    assert refusal(simulator, account, "/im/key/remove.json", key="IM2") == "Key not found"
    assert not account.imunify_keys


def test_a_server_is_removed(simulator: Simulator, account: Account) -> None:
    """A server is removed once, and others remain."""
    key = account.add_imunify_key("IM1")
    key.add_server("i1")
    key.add_server("i2")
    assert data(simulator, account, "/im/srv/remove.json", id="i1") == {"id": "i1", "key": "IM1"}
    assert list(key.servers) == ["i2"]
    assert refusal(simulator, account, "/im/srv/remove.json", id="i1") == "Server not found"


def test_a_server_is_converted(simulator: Simulator, account: Account) -> None:
    """A converted server is on the other key, with its check-ins."""
    first, second = account.add_imunify_key("IM1", code="360_1"), account.add_imunify_key("IM2", code="360_30", limit=1)
    server = first.add_server("i1")
    assert data(simulator, account, "/im/srv/convert.json", id="i1", key="IM2") == {"id": "i1", "key": "IM2"}
    assert (first.servers, second.servers) == ({}, {"i1": server})
    counts = {row["key"]: row["servers"] for row in data(simulator, account, "/im/key/list.json")}
    assert counts == {"IM1": "0", "IM2": "1"}


def test_a_server_is_not_converted_to_a_key_that_is_full(simulator: Simulator, account: Account) -> None:
    """A server is not converted to a full, unknown or foreign key."""
    account.add_imunify_key("IM1").add_server("i1")
    full = account.add_imunify_key("IM2", limit=1)
    full.add_server()
    simulator.add_account("other", "s").add_imunify_key("THEIRS")
    account.add_kernelcare_key("K")
    before = snapshot(account)
    path = "/im/srv/convert.json"
    assert refusal(simulator, account, path, id="i1", key="IM2") == "Key limit is reached"
    for key in ("NOBODYS", "THEIRS", "K"):
        assert refusal(simulator, account, path, id="i1", key=key) == "Key not found"
    assert snapshot(account) == before
    full.limit = 0
    assert data(simulator, account, path, id="i1", key="IM2") == {"id": "i1", "key": "IM2"}


def test_a_server_may_be_converted_to_the_key_it_is_on(simulator: Simulator, account: Account) -> None:
    """Converting a server to its own key changes nothing, even if it is full."""
    account.add_imunify_key("IM1", limit=1).add_server("i1")
    before = snapshot(account)
    assert data(simulator, account, "/im/srv/convert.json", id="i1", key="IM1") == {"id": "i1", "key": "IM1"}
    assert snapshot(account) == before
