"""Tests of Imunify keys and their servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from cln_monitor.cln import BadAnswerError, ImunifyKey, ImunifyServer, ReadOnlyClient, RefusedError
from cln_monitor.simulator import Account, Fault, Served, Simulator

from .asking import IMUNIFY_KEY, Clients, enveloped
from .samples import MEANT

CHECKED_IN = 1682868360.0


@pytest.fixture
def client(clients: Clients, served: Served) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(served.url)


def answers(simulator: Simulator, body: bytes) -> None:
    """Let the simulator respond to each call with ``body``."""
    simulator.faults.add(Fault("answer", body=body))


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_samples(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """The document's samples, whose numbers are strings, are decoded."""
    wrap = (lambda sample: enveloped(json.loads(sample))) if enveloping else bytes
    answers(simulator, wrap(MEANT["im.key.list.json"]))
    assert client.imunify.keys() == [
        ImunifyKey("IM1SOMENONSENCETEXT", "360_250", 2, 0),
        ImunifyKey("IMUNOTHERKEY", "360_UN", 42, 1),
    ]
    simulator.faults.clear()
    answers(simulator, wrap(MEANT["im.srv.list.json"]))
    assert client.imunify.servers("IMKEYVALUE") == [
        ImunifyServer("SSERVER_ID_1", "SSERVER_IP_1", CHECKED_IN),
        ImunifyServer("SSERVER_ID_2", "SSERVER_IP_2", CHECKED_IN),
    ]


@pytest.mark.parametrize("never", ["null", "missing", "empty"])
def test_as_the_simulator_tells_it(client: ReadOnlyClient, simulator: Simulator, account: Account, never: str) -> None:
    """The simulator's servers are returned with exact check-ins, for each format of "never"."""
    simulator.dates.never = never
    key = account.add_imunify_key(IMUNIFY_KEY, code="360_UN", limit=0)
    key.add_server("a", ip="192.0.2.1", last_checkin=CHECKED_IN)
    key.add_server("b", ip="192.0.2.2", last_checkin=None)
    assert client.imunify.keys() == [ImunifyKey(IMUNIFY_KEY, "360_UN", 0, 2)]
    assert client.imunify.servers(IMUNIFY_KEY) == [
        ImunifyServer("a", "192.0.2.1", CHECKED_IN),
        ImunifyServer("b", "192.0.2.2", None),
    ]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"key": "A"}, ImunifyKey("A", "", None, None)),
        ({"key": "A", "code": "NEWER_1", "limit": 3, "servers": 4}, ImunifyKey("A", "NEWER_1", 3, 4)),
        ({"key": "A", "limit": None, "servers": "", "note": "x", "newer": {}}, ImunifyKey("A", "", None, None, "x")),
        ({"key": "A", "note": None, "type": "PAID"}, ImunifyKey("A", "", None, None, "", "PAID")),
        ({"key": "A", "code": [], "limit": -1, "servers": {}}, ImunifyKey("A", "", "-1", "{}")),
    ],
)
def test_values_of_a_key(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], key: ImunifyKey) -> None:
    """Any product code is kept; a missing limit is None, not 0, and an invalid one is kept as text."""
    answers(simulator, enveloped([row]))
    assert client.imunify.keys() == [key]


def test_rows_that_repeat(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Rows with the same id are one server, with its latest check-in."""
    rows = [{"id": 1, "last_checkin": "2014-04-30T11:26-0400"}, {"id": "1", "last_checkin": "2023-04-30T11:26-0400"}]
    answers(simulator, enveloped(rows))
    assert client.imunify.servers(IMUNIFY_KEY) == [ImunifyServer("1", "", CHECKED_IN)]


def test_odd_address(client: ReadOnlyClient, simulator: Simulator) -> None:
    """An invalid address does not spoil the list."""
    answers(simulator, enveloped([{"id": "a", "ip": {}}, {"id": "b", "ip": "192.0.2.1"}]))
    assert client.imunify.servers(IMUNIFY_KEY) == [
        ImunifyServer("a", "", UNSET),
        ImunifyServer("b", "192.0.2.1", UNSET),
    ]


def test_row_without_an_id(client: ReadOnlyClient, simulator: Simulator) -> None:
    """A server without an id is a bad answer."""
    answers(simulator, enveloped([{"ip": "192.0.2.1"}]))
    with pytest.raises(BadAnswerError) as raised:
        client.imunify.servers(IMUNIFY_KEY)
    assert str(raised.value) == (
        f"reading /im/srv/list.json at {client.api} for key IMPL-12607494: "
        "unexpected response from CLN: a row without id"
    )


def test_unknown_key(client: ReadOnlyClient) -> None:
    """A key that CLN does not know is refused."""
    with pytest.raises(RefusedError) as raised:
        client.imunify.servers(IMUNIFY_KEY)
    assert raised.value.problem == "CLN refused the request: Key not found"


def test_keys_that_were_listed_are_hidden(client: ReadOnlyClient, account: Account) -> None:
    """Each listed key is masked in all later texts."""
    account.add_imunify_key(IMUNIFY_KEY)
    client.imunify.keys()
    assert IMUNIFY_KEY not in client.scrub(f"about {IMUNIFY_KEY}")
