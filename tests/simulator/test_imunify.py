"""Imunify keys and servers."""

from cln_monitor.simulator import Account, Simulator

from .asking import NOW, ask, token


def test_keys_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """The limit and the number of servers are strings."""
    account.add_imunify_key("IM1SOMENONSENCETEXT", code="360_250", limit=2)
    account.add_imunify_key("IMUNOTHERKEY", code="360_UN", limit=42).add_server()
    simulator.add_account("other", "s").add_imunify_key()
    assert ask(simulator, "/im/key/list.json", token=token(account)).json["data"] == [
        {"key": "IM1SOMENONSENCETEXT", "limit": "2", "code": "360_250", "servers": "0"},
        {"key": "IMUNOTHERKEY", "limit": "42", "code": "360_UN", "servers": "1"},
    ]


def test_servers_are_listed_as_in_the_document(simulator: Simulator, account: Account) -> None:
    """Each row repeats its key."""
    key = account.add_imunify_key("IMKEY")
    key.add_server("SSERVER_ID_1", ip="192.0.2.1", last_checkin=NOW)
    key.add_server("SSERVER_ID_2", ip="192.0.2.2", last_checkin=None)
    assert ask(simulator, "/im/srv/list.json", token=token(account), key="IMKEY").json["data"] == [
        {"id": "SSERVER_ID_1", "ip": "192.0.2.1", "key": "IMKEY", "last_checkin": "2024-04-30T11:26-0400"},
        {"id": "SSERVER_ID_2", "ip": "192.0.2.2", "key": "IMKEY", "last_checkin": None},
    ]


def test_an_empty_key_has_an_empty_list_and_an_unknown_one_is_refused(simulator: Simulator, account: Account) -> None:
    """A KernelCare key is no Imunify key."""
    account.add_imunify_key("IMKEY")
    account.add_kernelcare_key("K")
    assert ask(simulator, "/im/srv/list.json", token=token(account), key="IMKEY").json["data"] == []
    refused = ask(simulator, "/im/srv/list.json", token=token(account), key="K").json
    assert (refused["success"], refused["message"]) == (False, "Key not found")
