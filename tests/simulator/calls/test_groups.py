"""The calls for groups of servers."""

from urllib.parse import urlencode

import pytest

from cln_monitor.simulator import Account, Served, SimulatedGroup, Simulator
from tests.simulator.asking import data, fetch, refusal, snapshot, token

CREATE, LIST = "/group/create.json", "/group/list.json"
SERVERS, PUT, REMOVE = "/group/servers/list.json", "/group/servers/put.json", "/group/servers/remove.json"
K1 = {"id": "k1", "hostName": "web1.example.net", "ip": "192.0.2.1", "type": "KERNELCARE"}
K2 = {"id": "k2", "hostName": "web2.example.net", "ip": "192.0.2.2", "type": "KERNELCARE"}
I1 = {"id": "i1", "hostName": "web1.example.net", "ip": "192.0.2.1", "type": "IMUNIFY"}


@pytest.fixture
def group(account: Account) -> SimulatedGroup:
    """Return the empty group `G` of an account with servers of both products."""
    kernelcare, imunify = account.add_kernelcare_key("K"), account.add_imunify_key("IM")
    kernelcare.add_server("k1", ip="192.0.2.1", hostname="web1.example.net")
    kernelcare.add_server("k2", ip="192.0.2.2", hostname="web2.example.net")
    imunify.add_server("i1", ip="192.0.2.1", hostname="web1.example.net")
    return account.add_group("G")


def test_group_calls_over_http(served: Served, account: Account, group: SimulatedGroup) -> None:
    """POST, PUT and DELETE take their arguments from the query."""

    def ask(path: str, method: str, **rest: str) -> object:
        query = urlencode({"token": token(account), "name": "new group", **rest})
        return fetch(served, f"{path}?{query}", method=method).json

    envelope = {"message": None, "type": None, "success": True}
    created = ask(CREATE, "POST", description="DESCRIPTION")
    assert created == {**envelope, "data": {"name": "new group", "description": "DESCRIPTION"}}
    assert ask(PUT, "PUT", server_ids="k1,i1") == {**envelope, "data": [K1, I1]}
    assert ask(SERVERS, "GET") == {**envelope, "data": [K1, I1]}
    assert ask(REMOVE, "DELETE", server_ids="k1") == {**envelope, "data": [K1]}
    assert [server.server_id for server in account.groups["new group"].servers] == ["i1"]
    assert group.servers == ()


def test_arguments_in_a_body_are_none(served: Served, account: Account) -> None:
    """Arguments in the body of a POST are ignored."""
    body = {"token": token(account), "name": "G"}
    assert fetch(served, CREATE, method="POST", body=body).json["message"] == "Authorization failed"
    assert not account.groups


def test_groups_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Only groups of the account are listed; a missing description is null."""
    simulator.add_account("other", "s").add_group("G")
    assert data(simulator, account, LIST) == []
    for query in ({"name": "G", "description": "all"}, {"name": "H"}, {"name": "I", "description": ""}):
        data(simulator, account, CREATE, "POST", **query)
    assert data(simulator, account, LIST) == [
        {"name": "G", "description": "all"},
        {"name": "H", "description": None},
        {"name": "I", "description": None},
    ]


def test_a_group_name_is_unique_per_account(simulator: Simulator, account: Account, group: SimulatedGroup) -> None:
    """A second group with the same name is refused, and the first is unchanged."""
    message = refusal(simulator, account, CREATE, "POST", name="G", description="another")
    assert message == "Group already exists: G"
    assert account.groups == {"G": group}
    assert group.description is None


def test_a_server_can_be_in_two_groups(simulator: Simulator, account: Account, group: SimulatedGroup) -> None:
    """A server in two groups can leave one of them."""
    other = account.add_group("H")
    for name in ("G", "H"):
        assert data(simulator, account, PUT, "PUT", name=name, server_ids="k1") == [K1]
    assert data(simulator, account, REMOVE, "DELETE", name="G", server_ids="k1") == [K1]
    assert [len(one.servers) for one in (group, other)] == [0, 1]


def test_only_added_servers_are_returned(simulator: Simulator, account: Account, group: SimulatedGroup) -> None:
    """Only added servers are returned, not known, unknown, or foreign ones."""
    simulator.add_account("other", "s").add_kernelcare_key().add_server("theirs")
    account.add_els_key().add_server("12345")
    assert data(simulator, account, PUT, "PUT", name="G", server_ids="k2") == [K2]
    ids = "k1, k2,k1,nobodys,theirs,12345,,i1"
    assert data(simulator, account, PUT, "PUT", name="G", server_ids=ids) == [K1, I1]
    assert data(simulator, account, SERVERS, name="G") == [K2, K1, I1]
    assert len(group.servers) == 3


def test_only_removed_servers_are_returned(simulator: Simulator, account: Account, group: SimulatedGroup) -> None:
    """Only removed servers are returned, and they stay on their keys."""
    data(simulator, account, PUT, "PUT", name="G", server_ids="k1,i1")
    assert data(simulator, account, REMOVE, "DELETE", name="G", server_ids="i1,k2,nobodys") == [I1]
    assert [server.server_id for server in group.servers] == ["k1"]
    assert "i1" in account.imunify_keys["IM"].servers


def test_an_id_of_both_products_means_both(simulator: Simulator, account: Account, group: SimulatedGroup) -> None:
    """An id of both products adds both servers."""
    account.imunify_keys["IM"].add_server("k1", ip="192.0.2.9", hostname="h")
    rows = data(simulator, account, PUT, "PUT", name=group.name, server_ids="k1")
    assert [row["type"] for row in rows] == ["KERNELCARE", "IMUNIFY"]


@pytest.mark.parametrize(("path", "method"), [(SERVERS, "GET"), (PUT, "PUT"), (REMOVE, "DELETE")])
def test_unknown_and_foreign_groups_are_not_found(
    simulator: Simulator, account: Account, group: SimulatedGroup, path: str, method: str
) -> None:
    """Unknown groups and those of other accounts are refused alike."""
    other = simulator.add_account("other", "s")
    before = snapshot(account)
    assert refusal(simulator, account, path, method, name="H", server_ids="k1") == "Group not found"
    assert refusal(simulator, other, path, method, name=group.name, server_ids="k1") == "Group not found"
    assert snapshot(account) == before


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/kcare/srv/remove.json", {"server_id": "k1"}),
        ("/kcare/key/delete.json", {"key": "K"}),
        ("/im/srv/remove.json", {"id": "i1"}),
        ("/im/key/remove.json", {"key": "IM"}),
    ],
)
def test_a_server_that_is_removed_leaves_all_groups(
    simulator: Simulator, account: Account, group: SimulatedGroup, path: str, query: dict[str, str]
) -> None:
    """A removed server leaves its groups; a new one with its id is not in them."""
    other = account.add_group("H")
    for name in ("G", "H"):
        data(simulator, account, PUT, "PUT", name=name, server_ids="k1,i1")
    data(simulator, account, path, **query)
    left = ["i1" if path.startswith("/kcare") else "k1"]
    assert [[server.server_id for server in one.servers] for one in (group, other)] == [left, left]
    key = account.add_kernelcare_key("NEW") if path.startswith("/kcare") else account.add_imunify_key("NEW")
    key.add_server("k1" if path.startswith("/kcare") else "i1")
    assert len(data(simulator, account, SERVERS, name="G")) == 1


def test_a_server_that_is_converted_stays_in_its_groups(
    simulator: Simulator, account: Account, group: SimulatedGroup
) -> None:
    """A server that is converted to another key stays in its groups."""
    account.add_imunify_key("IM2")
    data(simulator, account, PUT, "PUT", name="G", server_ids="i1")
    data(simulator, account, "/im/srv/convert.json", id="i1", key="IM2")
    assert data(simulator, account, SERVERS, name="G") == [I1]
    assert len(group.servers) == 1
