"""The calls that monitoring may make, and their paths."""

from __future__ import annotations

import pytest

from cln_monitor.cln import Deadline, Refused
from cln_monitor.cln.endpoints import PATCH_STATUS_OF_KEY, PATCH_STATUS_OF_RESELLER, READS, Endpoint
from cln_monitor.simulator import Served, Simulator

from .asking import Clients

WRITES = [
    "/els/key/create.json",
    "/els/key/update.json",
    "/els/key/remove.json",
    "/els/srv/remove.json",
    "/im/key/create.json",
    "/im/key/update.json",
    "/im/key/remove.json",
    "/im/srv/remove.json",
    "/im/srv/convert.json",
    "/ipl/register.json",
    "/ipl/convert.json",
    "/ipl/remove.json",
    "/ipl/update.json",
    "/kcare/key/create.json",
    "/kcare/key/delete.json",
    "/kcare/key/set_cidr.json",
    "/kcare/srv/remove.json",
    "/kcare/nagios/register_key.plain",
    "/group/create.json",
    "/group/servers/put.json",
    "/group/servers/remove.json",
]
"""All calls of the API document that change something; most are plain GETs."""


@pytest.mark.parametrize("template", WRITES)
def test_writing_calls_are_not_sent(clients: Clients, simulator: Simulator, served: Served, template: str) -> None:
    """A call that changes something is refused before anything is sent, its token before it is made."""
    transport = clients.transport(served.url)

    def made() -> dict[str, str]:
        pytest.fail("a token was made")

    with pytest.raises(PermissionError) as raised:
        transport.read(Endpoint(template), made, made, lambda answer: answer, Deadline.never(clients.clock))
    assert str(raised.value) == f"{template} is not one of the calls that only read"
    assert simulator.requests == []


def test_no_read_is_a_write() -> None:
    """Nothing on the list of reads changes anything."""
    assert not {endpoint.template for endpoint in READS} & set(WRITES)
    words = ("create", "update", "remove", "delete", "set_", "put", "convert", "register_key", "register.json")
    assert not [endpoint for endpoint in READS if any(word in endpoint.template for word in words)]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("WsTs821nSAtiastD", "/kcare/nagios/WsTs821nSAtiastD"),
        ("a/../b", "/kcare/nagios/a%2F..%2Fb"),
        ("a?b#c&d=e", "/kcare/nagios/a%3Fb%23c%26d%3De"),
        ("50% ü", "/kcare/nagios/50%25%20%C3%BC"),
        ("\ud800", "/kcare/nagios/%3F"),
    ],
)
def test_arguments_in_the_path(key: str, path: str) -> None:
    """What stands in a path is percent-encoded, slashes too."""
    assert PATCH_STATUS_OF_KEY.path(key=key) == path


def test_login_and_token_in_the_path() -> None:
    """The bars of a token are encoded."""
    assert PATCH_STATUS_OF_RESELLER.path(login="me@example.net", token="me|1|ab") == (
        "/kcare/nagios-res/me%40example.net/me%7C1%7Cab"
    )


@pytest.mark.parametrize("key", [".", "..", "register_key.plain"])
def test_key_that_would_make_it_another_call(clients: Clients, simulator: Simulator, served: Served, key: str) -> None:
    """A key that would turn the path into that of another call is refused before anything is sent."""
    with pytest.raises(Refused) as raised:
        clients.client(served.url).patch_status.of_key(key)
    assert raised.value.problem == "nothing was sent, as its key would make it another call"
    assert simulator.requests == []


def test_path_arrives_as_it_was_made(clients: Clients, simulator: Simulator, served: Served) -> None:
    """No library on the way decodes or resolves what stands in the path."""
    with pytest.raises(Refused):
        clients.client(served.url).patch_status.of_key("a/../b%2Fc.~d")
    assert simulator.requests[0].target == "/api/kcare/nagios/a%2F..%2Fb%252Fc.~d"
