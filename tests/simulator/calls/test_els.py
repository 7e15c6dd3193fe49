"""The calls for ELS keys and servers, in both revisions of the API document."""

import re
from typing import Any

import pytest

from cln_monitor.simulator import REVISIONS, Account, Fixed, Served, Simulator
from cln_monitor.simulator.model import ELS_CODES, NEWER, OLDER, Never
from tests.simulator.asking import NOW, ask, data, fetch, refusal, snapshot, token

CHANGES = {
    "/els/key/create.json": "POST",
    "/els/key/update.json": "PUT",
    "/els/key/remove.json": "DELETE",
    "/els/srv/remove.json": "DELETE",
}
CELS = {"code": "CELS", "productType": "CELS"}


@pytest.fixture(params=REVISIONS)
def simulator(request: pytest.FixtureRequest) -> Simulator:
    """Return a simulator of each revision."""
    return Simulator(clock=lambda: NOW, revision=request.param)


def row(simulator: Simulator, key: str, server_id: str, ip: str, hostname: str) -> dict[str, Any]:
    """Return the row of a server that has just been registered."""
    seen = {"lastCheckin": "2024-04-30 15:26:40.000000"} if simulator.revision == NEWER else {}
    return {"id": server_id, "key": key, "ip": ip, "hostname": hostname, **seen}


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_has_one_method(simulator: Simulator, account: Account, path: str) -> None:
    """A change is a GET in 2024-03, and has a method of its own in 2024-10; others are not allowed and do nothing."""
    account.add_els_key("CELS-1").add_server("12345")
    before = snapshot(account)
    method = "GET" if simulator.revision == OLDER else CHANGES[path]
    query = {"token": token(account), "key": "CELS-1", "id": "12345", "limit": "4", **CELS}
    for other in {"GET", "POST", "PUT", "DELETE"} - {method}:
        answer = ask(simulator, path, method=other, **query)
        assert (answer.status, answer.headers["Allow"]) == (405, method)
    assert snapshot(account) == before
    assert ask(simulator, path, method=method, **query).json["success"]
    assert snapshot(account) != before


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Keys of one product are listed; limits are strings, a missing note is null."""
    account.add_els_key("CELS-1", code="CELS", limit=2, note="123")
    account.add_els_key("CELS-2", code="CELS", limit=0)
    account.add_els_key("PHPELS-1", code="PHP_ELS")
    simulator.add_account("other", "s").add_els_key()
    assert data(simulator, account, "/els/key/list.json", **CELS) == [
        {"key": "CELS-1", "productCode": "CELS", "usageLimit": "2", "description": "123"},
        {"key": "CELS-2", "productCode": "CELS", "usageLimit": "0", "description": None},
    ]


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Servers of all keys of one product are listed."""
    account.add_els_key("CELS-1").add_server("12345", ip="192.0.2.1", hostname="test")
    account.add_els_key("CELS-2").add_server("12346", ip="192.0.2.1", hostname="test2")
    account.add_els_key("OELS-1", code="OELS").add_server("12347")
    rows = [
        row(simulator, "CELS-1", "12345", "192.0.2.1", "test"),
        row(simulator, "CELS-2", "12346", "192.0.2.1", "test2"),
    ]
    assert data(simulator, account, "/els/srv/list.json", **CELS) == rows
    of_key = data(simulator, account, "/els/srv/list.json", **CELS, key="CELS-2")
    assert of_key == (rows[1:] if simulator.revision == NEWER else rows)


def test_check_ins_have_no_zone(account: Account, simulator: Simulator) -> None:
    """In 2024-10 a check-in has microseconds and no zone, and is null for a server that never checked in."""
    key = account.add_els_key("CELS-1")
    key.add_server("1", last_checkin=Fixed(1662387743.781372))
    key.add_server("2", last_checkin=Never())
    found = [row.get("lastCheckin", "missing") for row in data(simulator, account, "/els/srv/list.json", **CELS)]
    expected = ["2022-09-05 14:22:23.781372", None] if simulator.revision == NEWER else ["missing"] * 2
    assert found == expected


@pytest.mark.parametrize("path", ["/els/key/list.json", "/els/srv/list.json"])
def test_the_product_of_a_list_is_required(simulator: Simulator, account: Account, path: str) -> None:
    """The product is `productType`, in 2024-03 also `code`: both must agree, and it must be known."""
    asked = ELS_CODES[simulator.revision][9]
    account.add_els_key(code=asked).add_server()
    accepted = [{"productType": asked}, {"code": asked, "productType": asked}, {"code": "", "productType": asked}]
    argument = "productType"
    if simulator.revision == OLDER:
        accepted.append({"code": asked})
        argument = "code"
        assert refusal(simulator, account, path, code=asked, productType="CELS") == (
            "Parameters 'code' and 'productType' differ"
        )
    else:
        assert refusal(simulator, account, path, code=asked) == "Required parameter 'productType' is not present"
    for query in accepted:
        assert len(data(simulator, account, path, **query)) == 1
    assert refusal(simulator, account, path) == f"Required parameter '{argument}' is not present"
    for unknown in ("NEWER-9", "CELS;", "C" * 33, "ÇELS", "CELS\n"):
        assert refusal(simulator, account, path, productType=unknown) == f"Invalid {argument}: {unknown}"
    account.add_els_key(code="NEWER-9")
    data(simulator, account, path, productType="NEWER-9")


def test_codes_of_one_revision(simulator: Simulator, account: Account) -> None:
    """A revision refuses the codes that only the other one has."""
    other = REVISIONS[1 - REVISIONS.index(simulator.revision)]
    for code in set(ELS_CODES[other]) - set(ELS_CODES[simulator.revision]):
        assert refusal(simulator, account, "/els/key/list.json", productType=code).endswith(f": {code}")


def test_a_plus_must_be_encoded(served: Served, account: Account) -> None:
    """An unencoded plus in a query is a blank, and thus another code."""
    account.add_els_key(code="ELS CELS7+SLA")
    sent = f"/els/key/list.json?token={token(account)}&productType="
    assert len(fetch(served, f"{sent}ELS%20CELS7%2BSLA").json["data"]) == 1
    assert not fetch(served, f"{sent}ELS+CELS7+SLA").json["success"]


def test_a_key_is_created(simulator: Simulator, account: Account) -> None:
    """A created key is returned as its row, and lists have it."""
    for code in ELS_CODES[simulator.revision]:
        product = {"code": code, "productType": code}
        made = data(simulator, account, "/els/key/create.json", **product, limit="2", note="123")
        assert {**made, "key": ""} == {"key": "", "productCode": code, "usageLimit": "2", "description": "123"}
        assert re.fullmatch(r"[A-Z0-9]+-[A-Za-z0-9]{24}", made["key"])
        assert data(simulator, account, "/els/key/list.json", **product) == [made]
        assert account.els_keys[made["key"]].note == "123"


def test_a_key_without_a_note_has_none(simulator: Simulator, account: Account) -> None:
    """The note is optional, and the limit can be 0."""
    made = data(simulator, account, "/els/key/create.json", code="OELS", productType="OELS", limit="0")
    assert (made["usageLimit"], made["description"]) == ("0", None)


@pytest.mark.parametrize("code", ["CELS9", "cels", "AVP", "ELS CELS7 SLA"])
def test_a_key_of_an_unknown_product_is_not_created(simulator: Simulator, account: Account, code: str) -> None:
    """A key of an undocumented product is not created, even if lists accept it."""
    reason = refusal(simulator, account, "/els/key/create.json", code=code, productType=code, limit="2")
    assert reason == f"Invalid {'code' if simulator.revision == OLDER else 'productType'}: {code}"
    assert not account.els_keys


def test_an_update_answers_with_the_row(simulator: Simulator, account: Account) -> None:
    """An update returns the new row; the product is unchanged."""
    account.add_els_key("CELS-1", limit=2, note="123")
    updated = data(simulator, account, "/els/key/update.json", key="CELS-1", limit="4", note="321", code="OELS")
    assert updated == {"key": "CELS-1", "productCode": "CELS", "usageLimit": "4", "description": "321"}
    assert data(simulator, account, "/els/key/list.json", **CELS) == [updated]


def test_a_key_is_removed_with_its_servers(simulator: Simulator, account: Account) -> None:
    """Removing a key returns its servers, in 2024-10 only their key; a removed key is not found."""
    account.add_els_key("CELS-1").add_server("12345", ip="192.0.2.1", hostname="test")
    account.add_els_key("CELS-2")
    expected = row(simulator, "CELS-1", "12345", "192.0.2.1", "test")
    assert data(simulator, account, "/els/key/remove.json", key="CELS-1") == [
        expected if simulator.revision == OLDER else {"key": "CELS-1"}
    ]
    assert data(simulator, account, "/els/srv/list.json", **CELS) == []
    assert data(simulator, account, "/els/key/remove.json", key="CELS-2") == []
    assert refusal(simulator, account, "/els/key/remove.json", key="CELS-2") == "Key not found"
    assert snapshot(account)["els"] == {}


def test_a_server_is_removed(simulator: Simulator, account: Account) -> None:
    """A server is removed once, and others remain."""
    key = account.add_els_key("CELS-1")
    key.add_server("12345", ip="192.0.2.1", hostname="test")
    key.add_server("12346")
    expected = row(simulator, "CELS-1", "12345", "192.0.2.1", "test")
    assert data(simulator, account, "/els/srv/remove.json", id="12345") == expected
    assert list(key.servers) == ["12346"]
    assert refusal(simulator, account, "/els/srv/remove.json", id="12345") == "Server not found"
