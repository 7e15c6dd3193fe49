"""The calls for ELS keys and servers."""

import re

import pytest

from cln_monitor.simulator import Account, Served, Simulator
from cln_monitor.simulator.model import ELS_CODES
from tests.simulator.asking import data, fetch, refusal, snapshot, token


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Keys of one product are listed; limits are strings, a missing note is null."""
    account.add_els_key("CELS-1", code="CELS", limit=2, note="123")
    account.add_els_key("CELS-2", code="CELS", limit=0)
    account.add_els_key("PHPELS-1", code="PHP_ELS")
    simulator.add_account("other", "s").add_els_key()
    assert data(simulator, account, "/els/key/list.json", code="CELS") == [
        {"key": "CELS-1", "productCode": "CELS", "usageLimit": "2", "description": "123"},
        {"key": "CELS-2", "productCode": "CELS", "usageLimit": "0", "description": None},
    ]


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Servers of all keys of one product are listed."""
    account.add_els_key("CELS-1").add_server("12345", ip="192.0.2.1", hostname="test")
    account.add_els_key("CELS-2").add_server("12346", ip="192.0.2.1", hostname="test2")
    account.add_els_key("OELS-1", code="OELS").add_server("12347")
    assert data(simulator, account, "/els/srv/list.json", code="CELS") == [
        {"id": "12345", "key": "CELS-1", "ip": "192.0.2.1", "hostname": "test"},
        {"id": "12346", "key": "CELS-2", "ip": "192.0.2.1", "hostname": "test2"},
    ]


@pytest.mark.parametrize("path", ["/els/key/list.json", "/els/srv/list.json"])
def test_the_product_of_a_list_has_two_names(simulator: Simulator, account: Account, path: str) -> None:
    """The product is `code` or `productType`; both must agree, one is required."""
    account.add_els_key(code="ELS CELS7+SLA").add_server()
    asked = "ELS CELS7+SLA"
    for query in ({"code": asked}, {"productType": asked}, {"code": asked, "productType": asked}):
        assert len(data(simulator, account, path, **query)) == 1
    assert len(data(simulator, account, path, code="", productType=asked)) == 1
    assert data(simulator, account, path, code="NEWER-9") == []
    assert refusal(simulator, account, path) == "Required parameter 'code' is not present"
    assert refusal(simulator, account, path, code=asked, productType="CELS") == (
        "Parameters 'code' and 'productType' differ"
    )
    for malformed in ("CELS;", "C" * 33, "ÇELS", "CELS\n"):
        assert refusal(simulator, account, path, code=malformed) == f"Invalid code: {malformed}"


def test_a_plus_must_be_encoded(served: Served, account: Account) -> None:
    """An unencoded plus in a query is a blank, and thus another code."""
    account.add_els_key(code="ELS CELS7+SLA")
    sent = f"/els/key/list.json?token={token(account)}&code="
    assert len(fetch(served, f"{sent}ELS%20CELS7%2BSLA").json["data"]) == 1
    assert fetch(served, f"{sent}ELS+CELS7+SLA").json["data"] == []


@pytest.mark.parametrize("code", ELS_CODES)
def test_a_key_is_created(simulator: Simulator, account: Account, code: str) -> None:
    """A created key is returned as its row, and lists have it."""
    row = data(simulator, account, "/els/key/create.json", code=code, limit="2", note="123")
    assert {**row, "key": ""} == {"key": "", "productCode": code, "usageLimit": "2", "description": "123"}
    assert re.fullmatch(r"[A-Z0-9]+-[A-Za-z0-9]{24}", row["key"])
    assert data(simulator, account, "/els/key/list.json", code=code) == [row]
    assert account.els_keys[row["key"]].note == "123"


def test_a_key_without_a_note_has_none(simulator: Simulator, account: Account) -> None:
    """The note is optional, and the limit can be 0."""
    row = data(simulator, account, "/els/key/create.json", code="OELS", limit="0")
    assert (row["usageLimit"], row["description"]) == ("0", None)


@pytest.mark.parametrize("code", ["CELS9", "cels", "AVP", "ELS CELS7 SLA"])
def test_a_key_of_an_unknown_product_is_not_created(simulator: Simulator, account: Account, code: str) -> None:
    """A key of an undocumented product is not created, even if lists accept it."""
    assert refusal(simulator, account, "/els/key/create.json", code=code, limit="2") == f"Invalid code: {code}"
    assert not account.els_keys


def test_an_update_answers_with_the_row(simulator: Simulator, account: Account) -> None:
    """An update returns the new row; the product is unchanged."""
    account.add_els_key("CELS-1", limit=2, note="123")
    row = data(simulator, account, "/els/key/update.json", key="CELS-1", limit="4", note="321", code="OELS")
    assert row == {"key": "CELS-1", "productCode": "CELS", "usageLimit": "4", "description": "321"}
    assert data(simulator, account, "/els/key/list.json", code="CELS") == [row]


def test_a_key_is_removed_with_its_servers(simulator: Simulator, account: Account) -> None:
    """Removing a key returns its servers; a removed key is not found."""
    account.add_els_key("CELS-1").add_server("12345", ip="192.0.2.1", hostname="test")
    account.add_els_key("CELS-2")
    assert data(simulator, account, "/els/key/remove.json", key="CELS-1") == [
        {"id": "12345", "key": "CELS-1", "ip": "192.0.2.1", "hostname": "test"}
    ]
    assert data(simulator, account, "/els/srv/list.json", code="CELS") == []
    assert data(simulator, account, "/els/key/remove.json", key="CELS-2") == []
    assert refusal(simulator, account, "/els/key/remove.json", key="CELS-2") == "Key not found"
    assert snapshot(account)["els"] == {}


def test_a_server_is_removed(simulator: Simulator, account: Account) -> None:
    """A server is removed once, and others remain."""
    key = account.add_els_key("CELS-1")
    key.add_server("12345", ip="192.0.2.1", hostname="test")
    key.add_server("12346")
    row = {"id": "12345", "key": "CELS-1", "ip": "192.0.2.1", "hostname": "test"}
    assert data(simulator, account, "/els/srv/remove.json", id="12345") == row
    assert list(key.servers) == ["12346"]
    assert refusal(simulator, account, "/els/srv/remove.json", id="12345") == "Server not found"
