"""Tests of KernelCare keys and their servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from cln_monitor.cln import (
    BadAnswerError,
    ImunifyKey,
    InvalidArgumentError,
    KernelCareKey,
    KernelCareServer,
    ReadOnlyClient,
    RefusedError,
    mask_key,
)
from cln_monitor.simulator import Account, Fault, Served, Simulator

from .answering import AnsweringCln
from .asking import KEY, Clients, enveloped
from .samples import MEANT

CREATED, CHECKED_IN = 1398871560.0, 1682868360.0


@pytest.fixture
def client(clients: Clients, served: Served) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(served.url)


def answers(simulator: Simulator, body: bytes) -> None:
    """Let the simulator respond to each call with ``body``."""
    simulator.faults.add(Fault("answer", body=body))


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_sample_of_keys(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """The document's sample of keys is decoded."""
    sample = MEANT["kcare.key.list.json"]
    answers(simulator, enveloped(json.loads(sample)) if enveloping else sample)
    assert client.kernelcare.keys() == [KernelCareKey("WsTs821nSAtiastD", False, 2, "Some custom key note", CREATED)]


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_sample_of_servers(client: ReadOnlyClient, simulator: Simulator, enveloping: bool) -> None:
    """The document's sample of servers is decoded."""
    sample = MEANT["kcare.key.servers.json"]
    answers(simulator, enveloped(json.loads(sample)) if enveloping else sample)
    assert client.kernelcare.servers(KEY) == [KernelCareServer("s096slnkaAtoiAsd", "1.1.1.1", CREATED, CHECKED_IN)]


def test_nothing_there(client: ReadOnlyClient, account: Account) -> None:
    """An account without keys, or a key without servers, gives an empty list."""
    assert client.kernelcare.keys() == []
    account.add_kernelcare_key(KEY)
    assert client.kernelcare.servers(KEY) == []


@pytest.mark.parametrize("style", ["document", "seconds", "zulu", "colon"])
@pytest.mark.parametrize("never", ["null", "missing", "empty"])
def test_as_the_simulator_tells_it(
    client: ReadOnlyClient, simulator: Simulator, account: Account, style: str, never: str
) -> None:
    """The simulator's servers are returned with exact dates, for each date format and "never"."""
    simulator.dates.style, simulator.dates.never = style, never
    key = account.add_kernelcare_key(KEY, limit=0, note="Köln 🚀", created=CREATED)
    key.add_server("a", ip="2001:db8::1", created=CREATED, last_checkin=CHECKED_IN)
    key.add_server("b", ip="192.0.2.1", created=CREATED, last_checkin=None)
    assert client.kernelcare.keys() == [KernelCareKey(KEY, True, 0, "Köln 🚀", CREATED)]
    assert client.kernelcare.servers(KEY) == [
        KernelCareServer("a", "2001:db8::1", CREATED, CHECKED_IN),
        KernelCareServer("b", "192.0.2.1", CREATED, None),
    ]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"key": "A"}, KernelCareKey("A", None, None, "", None)),
        ({"key": "A", "limit": "7", "enabled": "true", "note": 123}, KernelCareKey("A", True, 7, "123", None)),
        ({"key": "A", "limit": 0, "newer": {"x": [1]}}, KernelCareKey("A", None, 0, "", None)),
        (
            {"key": "A", "limit": None, "note": None, "created": "", "enabled": None},
            KernelCareKey("A", None, None, "", None),
        ),
        ({"key": 12345, "note": "two\nlines"}, KernelCareKey("12345", None, None, "two lines", None)),
        ({"key": "A", "created": "04-30T11:26-0400", "limit": -1}, KernelCareKey("A", None, "-1", "", None)),
        ({"key": "A", "created": [1], "limit": 2**53 + 1}, KernelCareKey("A", None, str(2**53 + 1), "", None)),
        ({"key": "A", "created": {}, "limit": "many", "note": {"x": 1}}, KernelCareKey("A", None, "many", "", None)),
        ({"key": "A", "created": 7, "limit": 10**30, "enabled": []}, KernelCareKey("A", None, str(10**30), "", None)),
    ],
)
def test_values_of_a_key(client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], key: KernelCareKey) -> None:
    """Numbers may be strings, optional fields may be missing or odd, and unknown ones are ignored."""
    answers(simulator, enveloped([row, {"key": "B"}]))
    assert client.kernelcare.keys() == [key, KernelCareKey("B", None, None, "", None)]


@pytest.mark.parametrize(
    ("row", "server"),
    [
        ({"server_id": "s"}, KernelCareServer("s", "", None, UNSET)),
        ({"server_id": 7, "last_checkin": None, "ip": None}, KernelCareServer("7", "", None, None)),
        (
            {"server_id": "s", "last_checkin": "", "created": "2022-09-05 14:22:23.5"},
            KernelCareServer("s", "", 1662387743.5, None),
        ),
        ({"server_id": "s", "ip": ["192.0.2.1"], "created": "soon"}, KernelCareServer("s", "", None, UNSET)),
    ],
)
def test_values_of_a_server(
    client: ReadOnlyClient, simulator: Simulator, row: dict[str, Any], server: KernelCareServer
) -> None:
    """A null or empty check-in means never; one that no row has is unknown."""
    answers(simulator, enveloped([row]))
    assert client.kernelcare.servers(KEY) == [server]


def test_a_check_in_that_only_some_rows_have(client: ReadOnlyClient, simulator: Simulator) -> None:
    """A row without a check-in means never, if other rows have one."""
    rows = [{"server_id": "a"}, {"server_id": "b", "last_checkin": None}]
    answers(simulator, enveloped(rows))
    assert [server.last_checkin for server in client.kernelcare.servers(KEY)] == [None, None]
    simulator.faults.clear()
    answers(simulator, enveloped([{"server_id": "a"}, {"server_id": "b"}]))
    assert [server.last_checkin for server in client.kernelcare.servers(KEY)] == [UNSET, UNSET]


def test_rows_that_repeat(client: ReadOnlyClient, simulator: Simulator) -> None:
    """Rows with the same id are one key or one server."""
    answers(simulator, enveloped([{"key": "A", "limit": 1}, {"key": "B"}, {"key": "A", "limit": 2}]))
    assert [(key.key, key.limit) for key in client.kernelcare.keys()] == [("A", 1), ("B", None)]
    simulator.faults.clear()
    rows = [
        {"server_id": "s", "last_checkin": date} for date in (None, "2023-04-30T11:26-0400", "2014-04-30T11:26-0400")
    ]
    answers(simulator, enveloped(rows))
    assert client.kernelcare.servers(KEY) == [KernelCareServer("s", "", None, CHECKED_IN)]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"limit": 2}], "unexpected response from CLN: a row without key"),
        ([{"key": {"of": "A"}}], "unexpected response from CLN: a row without key"),
        (
            ["A"],
            (
                "unexpected response from CLN: JSON that does not match the API document "
                "(Expected `object`, got `str` - at `$[0]`) (HTTP 200)"
            ),
        ),
        (
            {"key": "A"},
            (
                "unexpected response from CLN: JSON that does not match the API document "
                "(Expected `array`, got `object`) (HTTP 200)"
            ),
        ),
        (
            None,
            (
                "unexpected response from CLN: JSON that does not match the API document "
                "(Expected `array`, got `null`) (HTTP 200)"
            ),
        ),
    ],
)
def test_rows_of_another_shape(client: ReadOnlyClient, simulator: Simulator, rows: object, problem: str) -> None:
    """The error of an unreadable row says what is wrong and what was attempted."""
    answers(simulator, enveloped(rows))
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.keys()
    assert str(raised.value) == f"reading /kcare/key/list.json at {client.api}: {problem}"


@pytest.mark.parametrize("last_checkin", ["04-30T11:26-0400", 7, ["x"], {}])
def test_checkin_that_is_no_date(client: ReadOnlyClient, simulator: Simulator, last_checkin: object) -> None:
    """An unreadable check-in makes the list a bad answer, as no age may be guessed."""
    answers(simulator, enveloped([{"server_id": "s", "last_checkin": last_checkin}]))
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.servers(KEY)
    assert raised.value.problem == f"unexpected response from CLN: last_checkin is {str(last_checkin)!r}, not a date"


def test_unknown_key(client: ReadOnlyClient) -> None:
    """A key that CLN does not know is refused, and masked in the error."""
    with pytest.raises(RefusedError) as raised:
        client.kernelcare.servers(KEY)
    assert str(raised.value) == (
        f"reading /kcare/key/servers.json at {client.api} for key Pl4n-87d3e7eb: CLN refused the request: Key not found"
    )


def test_keys_that_were_listed_are_hidden(client: ReadOnlyClient, account: Account) -> None:
    """Each listed key is masked in all later texts."""
    account.add_kernelcare_key(KEY)
    client.kernelcare.keys()
    assert client.scrub(f"about {KEY}") == "about Pl4n-87d3e7eb"


def test_one_bad_note_does_not_cost_the_list(client: ReadOnlyClient, simulator: Simulator) -> None:
    """A lone surrogate, which is valid in JSON but not in UTF-8, is replaced."""
    answers(simulator, b'{"success": true, "data": [{"key": "A", "note": "x\\ud800"}]}')
    assert client.kernelcare.keys()[0].note == "x?"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1, "irregular ip address in one of CIDRs (code 1)"),
        ("2", "irregular prefix in one of CIDRs (code 2)"),
        (3, "internal error (code 3)"),
        (77, "code 77"),
    ],
)
def test_cidrs_that_cln_refuses(clients: Clients, cln: AnsweringCln, code: object, said: str) -> None:
    """Any code but 0 is a refusal, with the text of the document."""
    cln.gives({"code": code})
    client = clients.writer(cln.url)
    with pytest.raises(RefusedError) as raised:
        client.kernelcare.set_cidrs(KEY, ["192.0.2.0/24"])
    assert str(raised.value) == (
        f"sending /kcare/key/set_cidr.json at {client.api} for key Pl4n-87d3e7eb: CLN did not set the CIDRs: {said}"
    )
    assert not raised.value.outcome_unknown


@pytest.mark.parametrize("data", [{}, {"code": None}, {"code": "x"}, {"code": False}, 0, True])
def test_cidrs_without_a_code(clients: Clients, cln: AnsweringCln, data: object) -> None:
    """Without a code the outcome is unknown."""
    cln.gives(data)
    with pytest.raises(BadAnswerError) as raised:
        clients.writer(cln.url).kernelcare.set_cidrs(KEY, ["192.0.2.0/24"])
    assert raised.value.outcome_unknown


def test_new_key_in_an_object(clients: Clients, cln: AnsweringCln) -> None:
    """A new key is accepted as a string, as documented, and in an object."""
    cln.gives({"key": KEY, "limit": 2})
    assert clients.writer(cln.url).kernelcare.create_key(2) == KEY


@pytest.mark.parametrize(
    "key",
    ["", "abc", "a b c", "a/b/c", "k?y=", "k#ey", "k&ey", "50%25", "schl\u00fcssel", "x" * 129, mask_key(KEY), None, 7],
)
def test_servers_of_no_key(client: ReadOnlyClient, simulator: Simulator, key: Any) -> None:
    """An invalid key is refused before anything is sent."""
    for call in (client.kernelcare.servers, client.imunify.servers, client.patch_status.for_key):
        with pytest.raises(InvalidArgumentError) as raised:
            call(key)
        assert raised.value.argument == "key"
    assert simulator.requests == []


def test_a_key_of_the_list_goes_back_as_it_is(clients: Clients, cln: AnsweringCln) -> None:
    """A key from a list of CLN is sent unchanged, even an odd one."""
    client = clients.client(cln.url)
    cln.gives([{"key": "odd key/\u00fc%"}])
    (key,) = client.kernelcare.keys()
    (protected,) = client.imunify.keys()
    cln.gives([])
    assert client.kernelcare.servers(key) == []
    assert client.imunify.servers(protected) == []
    cln.says("KernelCare OK")
    assert client.patch_status.for_key(key).ok
    assert [(asked.path, asked.query) for asked in cln.asked[2:]] == [
        ("/kcare/key/servers.json", {"key": "odd key/\u00fc%"}),
        ("/im/srv/list.json", {"key": "odd key/\u00fc%"}),
        ("/kcare/nagios/odd%20key%2F%C3%BC%25", {}),
    ]
    assert "odd key" not in client.scrub("of odd key/\u00fc%")


@pytest.mark.parametrize("key", [KernelCareKey("", None, None, "", None), ImunifyKey("", "", None, None)])
def test_an_empty_key_is_no_key_of_a_list(client: ReadOnlyClient, simulator: Simulator, key: Any) -> None:
    """An empty key is refused, as a request without a key might mean all keys."""
    for call in (client.kernelcare.servers, client.imunify.servers, client.patch_status.for_key):
        with pytest.raises(InvalidArgumentError):
            call(key)
    assert simulator.requests == []
