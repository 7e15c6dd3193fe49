"""CloudLinux OS keys and servers, whose responses have no envelope."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cln_monitor.cln import (
    AuthorizationError,
    BadAnswerError,
    CloudLinuxKey,
    CloudLinuxServer,
    InvalidArgumentError,
    ReadOnlyClient,
    RefusedError,
    SubAccountServer,
    mask_key,
)

from .answering import AnsweringCln, Asked
from .asking import KEY, Clients

ROW = {"key": "CLN7aa", "product_type": "cl", "usage_limit": 12, "description": "web farm"}
SUB_ACCOUNT = {
    "sub_account_login": "reseller7",
    "sub_account_email": "pl4nted@example.org",
    "server_id": 40211,
    "server_key": "CLN7aa",
    "version": 9,
    "ip": "198.51.100.9",
}


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(cln.url)


def test_samples(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Bare lists are decoded; the product in small letters is the one in capitals, and ids are numbers."""
    cln.says(json.dumps([ROW]))
    assert client.cloudlinux.keys("CL") == [CloudLinuxKey("CLN7aa", "CL", 12, "web farm")]
    cln.says(json.dumps([{"id": 40211, "key": "CLN7aa", "ip": "198.51.100.9", "hostname": "Web9.example.net."}]))
    assert client.cloudlinux.servers("cl") == [CloudLinuxServer("40211", "CLN7aa", "198.51.100.9", "web9.example.net")]
    cln.says(json.dumps([SUB_ACCOUNT]))
    expected = [SubAccountServer("reseller7", "40211", "CLN7aa", 9, "198.51.100.9")]
    assert client.cloudlinux.sub_account_servers() == expected
    assert cln.asked == [
        Asked("GET", "/v2/cl/keys", {"productType": "CL"}, with_token=True),
        Asked("GET", "/v2/cl/servers", {"productType": "CL"}, with_token=True),
        Asked("GET", "/v2/cl/sub-account/servers", {}, with_token=True),
    ]


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({"usage_limit": None}, None),
        ({"usage_limit": -1}, "-1"),
        ({"usage_limit": 0}, 0),
        ({"usage_limit": "7"}, 7),
    ],
)
def test_limits(client: ReadOnlyClient, cln: AnsweringCln, fields: dict[str, Any], limit: object) -> None:
    """A limit may be missing, which is not reported, or unreadable, and 0 is unlimited."""
    cln.says(json.dumps([{**ROW, **fields, "description": None}]))
    assert client.cloudlinux.keys("CL") == [CloudLinuxKey("CLN7aa", "CL", limit, "")]  # type: ignore[arg-type] # any limit


def test_ids_above_the_exact_floats(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """An id of 2**53 + 1 is exact."""
    cln.says('[{"id": 9007199254740993}]')
    assert [server.server_id for server in client.cloudlinux.servers("CL")] == ["9007199254740993"]


def test_e_mail_addresses(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """An e-mail address is never returned: a login that is one is masked."""
    cln.says(json.dumps([{**SUB_ACCOUNT, "sub_account_login": "pl4nted@example.org", "version": "x"}]))
    (server,) = client.cloudlinux.sub_account_servers()
    assert (server.login, server.version) == (mask_key("pl4nted@example.org"), None)
    assert "example.org" not in repr(server)


@pytest.mark.parametrize("status", ["404 Not Found", "200 OK"])
def test_an_error_without_an_envelope(client: ReadOnlyClient, cln: AnsweringCln, status: str) -> None:
    """An object with a status and a message is a refusal with that message, also with HTTP status 200."""
    cln.says('{"status":404,"message":"Product not found"}', status)
    with pytest.raises(RefusedError, match="Product not found"):
        client.cloudlinux.keys("CL")


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ('{"status":401,"message":"Unauthorized"}', "401 Unauthorized", AuthorizationError),
        ('{"status":403,"message":"Access denied"}', "403 Forbidden", RefusedError),
        ("<html>", "403 Forbidden", RefusedError),
        ('{"key": "CLN7aa", "product_type": "cl"}', "200 OK", BadAnswerError),
        ('{"status":500,"message":"Oops"}', "200 OK", BadAnswerError),
        ('{"status":"404","message":"Oops"}', "200 OK", BadAnswerError),
        ('"CLN7aa"', "200 OK", BadAnswerError),
        ("<html>", "200 OK", BadAnswerError),
        ("<html>", "404 Not Found", RefusedError),
        ("[{}]", "200 OK", BadAnswerError),
    ],
)
def test_other_responses(
    client: ReadOnlyClient, cln: AnsweringCln, body: str, status: str, kind: type[Exception]
) -> None:
    """A list that is an object, a row without a key, or a page is a bad answer, unless the account has no such call."""
    cln.says(body, status)
    with pytest.raises(kind):
        client.cloudlinux.keys("CL")


@pytest.mark.parametrize("product", ["", " ", "CL\n", "CL,CLP", "x" * 33, None, 1])
def test_product_that_is_not_one(client: ReadOnlyClient, cln: AnsweringCln, product: Any) -> None:
    """A product in another format is refused before anything is sent."""
    for call in (client.cloudlinux.keys, client.cloudlinux.servers):
        with pytest.raises(InvalidArgumentError) as raised:
            call(product)
        assert raised.value.argument == "product"
    assert cln.asked == []


def test_an_allowed_method_does_not_matter(clients: Clients, cln: AnsweringCln) -> None:
    """A change that CLN does not allow is never sent with another method, which would be another call."""
    cln.says("<html>", "405 Method Not Allowed", "Allow: GET")
    cloudlinux = clients.writer(cln.url).cloudlinux
    changes: list[Callable[[], object]] = [
        lambda: cloudlinux.create_key("CL", 1),
        lambda: cloudlinux.update_key("CLN7aa", 1),
        lambda: cloudlinux.remove_key("CLN7aa"),
        lambda: cloudlinux.remove_server("1"),
    ]
    for change in changes:
        with pytest.raises(RefusedError, match="nothing was changed"):
            change()
    assert [asked.method for asked in cln.asked] == ["POST", "PATCH", "DELETE", "DELETE"]


def test_keys_are_hidden(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Each key in a response is masked in all later texts."""
    cln.says(json.dumps([{**ROW, "key": KEY}]))
    client.cloudlinux.keys("CL")
    assert client.scrub(KEY) == "Pl4n-87d3e7eb"


def test_a_cln_without_these_calls(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """HTTP 404 without a message is a refusal: an older CLN does not have these calls. With 200, a page is not."""
    cln.says("<html>not found</html>", "404 Not Found")
    with pytest.raises(RefusedError, match=r"CLN does not have this call \(HTTP 404\)$"):
        client.cloudlinux.keys("CL")
    cln.says("<html>maintenance</html>")
    with pytest.raises(BadAnswerError, match="an HTML page"):
        client.cloudlinux.servers("CL")
    cln.says("<html>not found</html>", "404 Not Found")
    with pytest.raises(BadAnswerError, match=r"an HTML page \(HTTP 404\); check api_url"):
        client.imunify.keys()


def test_keys_of_other_products(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Keys that CLN reports with another product of the document are left out; an unknown one may be a new name."""
    rows = [{**ROW, "key": name, "product_type": product} for name, product in (("a", "CL"), ("b", "cls"), ("c", "x"))]
    cln.says(json.dumps(rows))
    assert [key.key for key in client.cloudlinux.keys("CL")] == ["a", "c"]
