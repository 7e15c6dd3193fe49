"""Tests of ELS keys and their servers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cln_monitor.cln import ELS_CODES, BadAnswerError, ElsKey, ElsServer, InvalidArgumentError, ReadOnlyClient

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
    """The ten product codes are spelled as in the document."""
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
