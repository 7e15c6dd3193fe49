"""The calls for CloudLinux OS keys and servers, which only the newer revision has."""

from typing import Any

import pytest

from cln_monitor.simulator import Account, Simulator
from cln_monitor.simulator.model import SubAccountServer
from tests.simulator.asking import NOW, ask, token

PATHS = ("/v2/cl/keys", "/v2/cl/servers", "/v2/cl/sub-account/servers")


def bare(simulator: Simulator, account: Account, path: str, method: str = "GET", **query: str) -> Any:
    """Return the body of a response without an envelope."""
    answer = ask(simulator, path, method=method, token=token(account), **query)
    assert answer.status == 200, answer
    return answer.json


def refused(simulator: Simulator, account: Account, path: str, method: str = "GET", **query: str) -> tuple[int, str]:
    """Return the status and the message of a refusal."""
    answer = ask(simulator, path, method=method, token=token(account), **query)
    assert answer.json == {"status": answer.status, "message": answer.json["message"]}
    return answer.status, answer.json["message"]


def test_keys_and_servers(simulator: Simulator, account: Account) -> None:
    """Keys and servers of one product are listed as in the samples."""
    key = account.add_cloudlinux_key("CLN-1", "CL", limit=12, note="web farm")
    key.add_server("40211", ip="198.51.100.9", hostname="web9.example.net")
    account.add_cloudlinux_key("CLN-2", "CLS").add_server("40212")
    row = {"key": "CLN-1", "product_type": "cl", "usage_limit": 12, "description": "web farm"}
    server = {"id": 40211, "key": "CLN-1", "ip": "198.51.100.9", "hostname": "web9.example.net"}
    assert bare(simulator, account, "/v2/cl/keys", productType="CL") == [row]
    assert bare(simulator, account, "/v2/cl/servers", productType="CL") == [server]
    assert bare(simulator, account, "/v2/cl/keys", productType="CLADMIN") == []


def test_changes(simulator: Simulator, account: Account) -> None:
    """A key is created, updated and removed, and a server is removed, each with its method."""
    made = bare(simulator, account, "/v2/cl/keys", "POST", productType="CLP", limit="2", note="x")
    assert (made["product_type"], made["usage_limit"], made["description"]) == ("clp", 2, "x")
    updated = bare(simulator, account, "/v2/cl/keys", "PATCH", key=made["key"], limit="3")
    assert updated == {**made, "usage_limit": 3}
    account.cloudlinux_keys[made["key"]].add_server("7")
    assert bare(simulator, account, "/v2/cl/servers", "DELETE", id="7")["id"] == 7
    assert bare(simulator, account, "/v2/cl/keys", "DELETE", key=made["key"]) == {"key": made["key"]}
    assert account.cloudlinux_keys == {}


@pytest.mark.parametrize(
    ("method", "path", "query", "status", "message"),
    [
        ("GET", PATHS[0], {}, 400, "Required parameter 'productType' is not present"),
        ("GET", PATHS[0], {"productType": "cl"}, 400, "Invalid productType: cl"),
        ("PATCH", PATHS[0], {"key": "CLN-1"}, 400, "Required parameter 'limit' is not present"),
        ("PATCH", PATHS[0], {"key": "none", "limit": "1"}, 404, "Key not found"),
        ("DELETE", PATHS[1], {"id": "1"}, 404, "Server not found"),
    ],
)
def test_refusals(
    *, simulator: Simulator, account: Account, method: str, path: str, query: dict[str, str], status: int, message: str
) -> None:
    """A refusal is an object with the HTTP status and a message."""
    account.add_cloudlinux_key("CLN-1")
    assert refused(simulator, account, path, method, **query) == (status, message)


def test_without_a_token(simulator: Simulator) -> None:
    """A call without a token is refused with HTTP status 401."""
    answer = ask(simulator, PATHS[2])
    assert (answer.status, answer.json["message"]) == (401, "Authorization failed")


def test_sub_accounts(simulator: Simulator, account: Account) -> None:
    """The servers of sub-accounts are listed as in the sample."""
    account.sub_account_servers.append(SubAccountServer("r7", "x@example.org", 1, "CLN-1", 9, "192.0.2.1"))
    assert bare(simulator, account, PATHS[2]) == [
        {
            "sub_account_login": "r7",
            "sub_account_email": "x@example.org",
            "server_id": 1,
            "server_key": "CLN-1",
            "version": 9,
            "ip": "192.0.2.1",
        }
    ]


@pytest.mark.parametrize("path", PATHS)
def test_the_older_revision_has_none_of_them(path: str) -> None:
    """A CLN of 2024-03 has no such page."""
    simulator = Simulator(clock=lambda: NOW, revision="2024-03")
    assert ask(simulator, path, token=token(simulator.add_account())).status == 404
