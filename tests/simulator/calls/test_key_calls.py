"""Calls on the keys of all products."""

import pytest

from cln_monitor.simulator import Account, SimulatedElsKey, SimulatedImunifyKey, Simulator
from tests.simulator.asking import data, refusal, snapshot
from tests.simulator.writes import populate_account

BY_KEY = (
    "/els/key/update.json",
    "/els/key/remove.json",
    "/im/key/update.json",
    "/im/key/remove.json",
    "/im/srv/list.json",
    "/kcare/key/servers.json",
    "/kcare/key/set_cidr.json",
)
BY_ID = ("/els/srv/remove.json", "/im/srv/remove.json", "/im/srv/convert.json")


@pytest.mark.parametrize("path", BY_KEY)
def test_unknown_and_foreign_keys_are_not_found(simulator: Simulator, account: Account, path: str) -> None:
    """Unknown and foreign keys are refused alike."""
    populate_account(account)
    other = simulator.add_account("other", "s")
    before = snapshot(account)
    theirs = "K1" if not path.startswith("/kcare") else "IM1"
    for key in ("NOBODYS", theirs):
        assert refusal(simulator, account, path, key=key, cidr="192.0.2.0/24", limit="5") == "Key not found"
    for key in ("CELS-1", "IM1", "K1"):
        assert refusal(simulator, other, path, key=key, cidr="192.0.2.0/24", limit="5") == "Key not found"
    assert snapshot(account) == before


@pytest.mark.parametrize("path", BY_ID)
def test_unknown_and_foreign_servers_are_not_found(simulator: Simulator, account: Account, path: str) -> None:
    """Unknown and foreign servers are refused alike."""
    populate_account(account)
    other = simulator.add_account("other", "s")
    other.add_imunify_key("IM3")
    before = snapshot(account)
    for server_id in ("nobodys", "k1", *(("i1",) if path.startswith("/els") else ("12345",))):
        assert refusal(simulator, account, path, id=server_id, key="IM2") == "Server not found"
    for server_id in ("12345", "i1"):
        assert refusal(simulator, other, path, id=server_id, key="IM3") == "Server not found"
    assert snapshot(account) == before


@pytest.mark.parametrize(("path", "name"), [("/els/key/update.json", "CELS-1"), ("/im/key/update.json", "IM1")])
def test_an_update_changes_only_given_arguments(simulator: Simulator, account: Account, path: str, name: str) -> None:
    """An update changes only the given arguments; an empty note removes the note."""
    populate_account(account)
    key: SimulatedElsKey | SimulatedImunifyKey = (
        account.els_keys[name] if path.startswith("/els") else account.imunify_keys[name]
    )
    data(simulator, account, path, key=name, limit="7")
    assert (key.limit, key.note) == (7, "")
    data(simulator, account, path, key=name, note="n")
    assert (key.limit, key.note) == (7, "n")
    data(simulator, account, path, key=name)
    assert (key.limit, key.note) == (7, "n")
    data(simulator, account, path, key=name, limit="0", note="")
    assert (key.limit, key.note) == (0, "")


def test_a_limit_below_the_servers_in_use_is_accepted(simulator: Simulator, account: Account) -> None:
    """A limit below the number of servers is accepted, and the key is full."""
    populate_account(account)
    key = account.imunify_keys["IM1"]
    key.add_server()
    data(simulator, account, "/im/key/update.json", key="IM1", limit="1")
    assert (len(key.servers), key.limit, key.is_full) == (2, 1, True)
