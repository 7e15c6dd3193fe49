"""The endpoints of the API document, which of them are read-only, and their paths."""

from __future__ import annotations

import inspect
import re

import pytest

from cln_monitor.cln import Client, Deadline, InvalidArgumentError, KernelCareKey, ReadOnlyClient, RefusedError
from cln_monitor.cln.endpoints import PATCH_STATUS_OF_KEY, PATCH_STATUS_OF_RESELLER, READS, WRITES, Endpoint
from cln_monitor.simulator import Served, Simulator
from tests.helpers.samples import SAMPLES

from .asking import Clients

DOCUMENTED = {f"{method} {path}" for method, path in SAMPLES}
"""All calls of the API document."""

CHANGING = sorted(
    call
    for call in DOCUMENTED
    if not call.startswith("GET ")
    or re.search(r"/(?:create|update|remove|delete|set_cidr|put|convert|register|register_key)\.", call)
)


def test_every_call_of_the_document() -> None:
    """The lists of reads and writes together are the calls of the document, each in the right list."""
    assert {f"{each.method} {each.template}" for each in READS | WRITES} == DOCUMENTED
    assert sorted(f"{each.method} {each.template}" for each in WRITES) == CHANGING
    assert not READS & WRITES


def test_reader_has_nothing_that_writes(clients: Clients, served: Served) -> None:
    """The read-only client has no method that sends a change; the other client has them."""

    def sending(client: ReadOnlyClient) -> list[str]:
        families = {name: type(family) for name, family in vars(client).items() if not name.startswith("_")}
        return [
            f"{name}.{method}"
            for name, family in families.items()
            for method, function in inspect.getmembers(family, inspect.isfunction)
            if {"change", "change_rows", "write"} & set(function.__code__.co_names)
        ]

    transport = clients.transport(served.url)
    assert sending(ReadOnlyClient.over(transport)) == []
    assert len(sending(Client.over(transport))) == len(WRITES) - 1  # two of the groups are sent by one helper
    assert set(vars(Client.over(transport))) - set(vars(ReadOnlyClient.over(transport))) == {"monitoring_keys"}


@pytest.mark.parametrize(
    ("call", "as_get"),
    [
        *((call, False) for call in CHANGING),
        # A path of /v2 has a read as well.
        *((call, True) for call in CHANGING if f"GET {call.split(' ')[1]}" not in DOCUMENTED - set(CHANGING)),
    ],
)
def test_writing_calls_are_not_read(
    clients: Clients, simulator: Simulator, served: Served, call: str, as_get: bool
) -> None:
    """A call that changes something cannot be sent as a read, and makes no token."""
    transport = clients.transport(served.url)
    method, template = call.split(" ")
    endpoint = Endpoint(template) if as_get else Endpoint(template, method)

    def made() -> dict[str, str]:
        pytest.fail("a token was made")

    with pytest.raises(PermissionError) as raised:
        transport.read(endpoint, made, made, lambda answer: answer, Deadline.never(clients.clock))
    assert str(raised.value) == f"{template} is not a read-only call"
    assert simulator.requests == []


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
    """Arguments in a path are percent-encoded, including slashes."""
    assert PATCH_STATUS_OF_KEY.path(key=key) == path


def test_login_and_token_in_the_path() -> None:
    """The bars of a token are percent-encoded in a path."""
    assert PATCH_STATUS_OF_RESELLER.path(login="me@example.net", token="me|1|ab") == (
        "/kcare/nagios-res/me%40example.net/me%7C1%7Cab"
    )


@pytest.mark.parametrize("key", [".", "..", "register_key.plain"])
def test_key_that_would_make_it_another_call(clients: Clients, simulator: Simulator, served: Served, key: str) -> None:
    """A key that gives the path of another call is refused, also if it is from a list of CLN."""
    with pytest.raises(InvalidArgumentError) as raised:
        clients.client(served.url).patch_status.for_key(KernelCareKey(key, None, None, "", None))
    assert str(raised.value) == "key: not allowed: it would give the path of another call"
    assert raised.value.argument == "key"
    with pytest.raises(InvalidArgumentError):
        clients.client(served.url).patch_status.for_key(key)
    assert simulator.requests == []


def test_path_arrives_as_it_was_made(clients: Clients, simulator: Simulator, served: Served) -> None:
    """No library decodes or normalizes the path of a request."""
    with pytest.raises(RefusedError):
        clients.client(served.url).patch_status.for_key(KernelCareKey("a/../b%2Fc.~d", None, None, "", None))
    assert simulator.requests[0].target == "/api/kcare/nagios/a%2F..%2Fb%252Fc.~d"
