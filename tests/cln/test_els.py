"""Tests of ELS keys and their servers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import UNSET

from cln_monitor.cln import (
    ELS_CODES,
    BadAnswerError,
    ElsKey,
    ElsServer,
    InvalidArgumentError,
    LastCheckin,
    ReadOnlyClient,
)

from .answering import AnsweringCln, Asked
from .asking import IMUNIFY_KEY, KEY, Clients, enveloped
from .samples import MEANT


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(cln.url)


@pytest.mark.parametrize("enveloping", [True, False], ids=["in the envelope", "bare"])
def test_samples(client: ReadOnlyClient, cln: AnsweringCln, enveloping: bool) -> None:
    """The document's samples are decoded; their numbers are strings, and notes may be numbers."""
    wrap = (lambda sample: enveloped(json.loads(sample))) if enveloping else bytes
    cln.says(wrap(MEANT["els.key.list.json"]))
    assert client.els.keys("CELS") == [
        ElsKey("CELS-yUDxBd5ethmGO5d3hnAZEau0", "CELS", 2, "123"),
        ElsKey("CELS-kdiRMfJ4yhmF7je4ldptndYk", "CELS", 5, ""),
    ]
    cln.says(wrap(MEANT["els.srv.list.json"]))
    assert client.els.servers("CELS") == [
        ElsServer("12345", "CELS-value", "1.1.1.1", "test"),
        ElsServer("12346", "CELS-value", "1.1.1.1", "test2"),
    ]


@pytest.mark.parametrize("code", [*ELS_CODES, "NEWER_9", "\u2026", "\u00dc 9.x (beta)"])
def test_what_goes_out(client: ReadOnlyClient, cln: AnsweringCln, code: str) -> None:
    """The product code is sent unchanged, under both names of the document."""
    cln.gives([])
    assert client.els.keys(code) == []
    assert client.els.servers(code) == []
    query = {"code": code, "productType": code}
    assert cln.asked == [
        Asked("GET", "/els/key/list.json", query, with_token=True),
        Asked("GET", "/els/srv/list.json", query, with_token=True),
    ]


def test_codes_of_the_document() -> None:
    """The product codes are spelled as in the documents: those of 2024-03, new ones of 2024-10, and of the portal."""
    assert list(ELS_CODES) == [
        "CELS",
        "OELS",
        "UELS16",
        "CELS_8",
        "UELS18",
        "PHP_ELS",
        "PYTHON_ELS",
        "UELS18_SLA",
        "ELS CELS7",
        "ELS CELS7+SLA",
        "ELS_FOR_CENTOS7",
        "ELS_FOR_CENTOS7_PLUS_SLA",
        "ELS_FOR_CENTOS8STREAM",
        "UELS16_SLA",
        "ELS_FOR_CENTOS6_PLUS_SLA",
        "ELS_FOR_ORACLE_LINUX_PLUS_SLA",
        "ELS_FOR_CENTOS8_PLUS_SLA",
        "EXTENDED_SECURITY_UPDATES",
    ]


@pytest.mark.parametrize("code", ["", " ", "CELS\n", "CELS/8", "CELS&x", "x" * 33, "CELS,OELS", "\ud800", None, 16])
def test_code_that_is_none(client: ReadOnlyClient, cln: AnsweringCln, code: Any) -> None:
    """A product code in another format is refused before anything is sent."""
    for call in (client.els.keys, client.els.servers):
        with pytest.raises(InvalidArgumentError) as raised:
            call(code)
        assert raised.value.argument == "code"
    assert cln.asked == []


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"key": "A"}, ElsKey("A", "", None, "")),
        ({"key": "A", "productCode": [], "usageLimit": "many", "description": {}}, ElsKey("A", "", "many", "")),
        ({"key": "A", "productCode": "N", "usageLimit": 0, "description": "x\ny"}, ElsKey("A", "N", 0, "x y")),
    ],
)
def test_values_of_a_key(client: ReadOnlyClient, cln: AnsweringCln, row: dict[str, Any], key: ElsKey) -> None:
    """Odd descriptive fields do not spoil the list, and duplicate keys are one."""
    cln.gives([row, row])
    assert client.els.keys("CELS") == [key]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"id": 1, "lastCheckin": "2022-09-05 14:22:23.781372"}], [1662387743.781372]),
        ([{"id": 1, "lastCheckin": "2022-09-05 14:22:23"}, {"id": 2, "lastCheckin": None}], [1662387743.0, None]),
        ([{"id": 1, "lastCheckin": "2022-09-05T14:22:23.5+02:00"}, {"id": 2}], [1662380543.5, None]),
        ([{"id": 1, "lastCheckin": None}, {"id": 2, "lastCheckin": ""}], [None, None]),
        ([{"id": 1, "lastCheckin": "0000-00-00 00:00:00"}], [None]),
        ([{"id": 1}, {"id": 2}], [UNSET, UNSET]),
    ],
)
def test_checkins(
    client: ReadOnlyClient, cln: AnsweringCln, rows: list[dict[str, Any]], expected: list[LastCheckin]
) -> None:
    """A check-in without a zone is UTC, null is never, and a field that no row has is unknown."""
    cln.gives(rows)
    assert [server.last_checkin for server in client.els.servers("CELS")] == expected


@pytest.mark.parametrize("checkin", ["soon", {}, 7, "2026-13-01 00:00:00"])
def test_a_checkin_that_is_no_date(client: ReadOnlyClient, cln: AnsweringCln, checkin: object) -> None:
    """A check-in that is not a date makes the list a bad answer."""
    cln.gives([{"id": 1, "lastCheckin": "2022-09-05 14:22:23"}, {"id": 2, "lastCheckin": checkin}])
    with pytest.raises(BadAnswerError) as raised:
        client.els.servers("CELS")
    assert "lastCheckin" in raised.value.problem


def test_ids_above_the_exact_floats(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """An id above 2**53 is shown exactly."""
    cln.says(enveloped([]).replace(b"[]", b'[{"id": 9007199254740993, "hostname": "a"}, {"id": 36893488147419103233}]'))
    assert [server.server_id for server in client.els.servers("CELS")] == ["9007199254740993", "36893488147419103233"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("DB1.Example.NET.", "db1.example.net"),
        (" a\u0000b\nc\u202e.x. ", "a b c .x"),
        ("x" * 300, "x" * 252 + "\u2026"),
        ("", ""),
        (None, ""),
        (7, "7"),
        ({}, ""),
    ],
)
def test_host_names(client: ReadOnlyClient, cln: AnsweringCln, sent: object, shown: str) -> None:
    """A host name is shown in lower case on one line, without a dot at the end, and at most 253 characters long."""
    cln.gives([{"id": 1, "hostname": sent}])
    assert client.els.servers("CELS")[0].hostname == shown


def test_a_key_in_a_host_name_is_hidden(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """A key that is part of a host name is masked, although host names are in lower case."""
    cln.gives([{"id": 1, "key": KEY, "hostname": f"{KEY}.example.net"}])
    (server,) = client.els.servers("CELS")
    assert client.scrub(server.hostname) == "Pl4n-87d3e7eb.example.net"
    assert client.may_show_secret(server.hostname)


def test_servers_that_repeat(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Rows with the same id are one server; descriptive fields may be missing or odd."""
    cln.gives([{"id": 1, "ip": {}}, {"id": "1", "ip": "192.0.2.1"}, {"id": 2, "hostname": None}])
    assert client.els.servers("CELS") == [ElsServer("1", "", "", ""), ElsServer("2", "", "", "")]


@pytest.mark.parametrize("row", [{}, {"id": "", "key": ""}, {"id": None, "key": True}, 7])
def test_rows_without_an_identity(client: ReadOnlyClient, cln: AnsweringCln, row: object) -> None:
    """A row without an id is a bad answer."""
    cln.gives([row])
    for call in (client.els.keys, client.els.servers):
        with pytest.raises(BadAnswerError):
            call("CELS")


def test_keys_that_were_told_are_hidden(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Each key in a response is masked in all later texts."""
    cln.gives([{"key": KEY}])
    client.els.keys("CELS")
    cln.gives([{"id": "1", "key": IMUNIFY_KEY}])
    client.els.servers("CELS")
    assert client.scrub(f"{KEY} and {IMUNIFY_KEY}") == "Pl4n-87d3e7eb and IMPL-12607494"
