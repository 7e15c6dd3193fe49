"""Tests of server groups."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cln_monitor.cln import BadAnswerError, Group, GroupServer, InvalidArgumentError, ReadOnlyClient

from .answering import AnsweringCln, Asked
from .asking import Clients
from .samples import MEANT


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> ReadOnlyClient:
    """A client of the one account."""
    return clients.client(cln.url)


@pytest.mark.parametrize("enveloped", [True, False], ids=["in the envelope", "bare"])
def test_samples(client: ReadOnlyClient, cln: AnsweringCln, enveloped: bool) -> None:
    """The document's samples of groups and servers are decoded; its duplicate server is one."""

    def sample(name: str) -> bytes:
        return MEANT[name] if enveloped else json.dumps(json.loads(MEANT[name])["data"]).encode()

    cln.says(sample("group.list.json"))
    assert client.groups.groups() == [Group("NAME", "DESCRIPTION")]
    for name in ("group.servers.list.json", "group.servers.put.json"):
        cln.says(sample(name))
        assert client.groups.servers("NAME") == [GroupServer("SERVER-1", "10.000.0.000", "10.000.0.000", "IMUNIFY")]


def test_what_goes_out(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """The name of a group is sent unchanged, also an odd one from a list of CLN."""
    cln.gives([{"name": "x" * 200}])
    (group,) = client.groups.groups()
    cln.gives([])
    client.groups.servers(" web & K\u00f6ln+1 ")
    client.groups.servers(group)
    assert cln.asked == [
        Asked("GET", "/group/list.json", {}, with_token=True),
        Asked("GET", "/group/servers/list.json", {"name": " web & K\u00f6ln+1 "}, with_token=True),
        Asked("GET", "/group/servers/list.json", {"name": "x" * 200}, with_token=True),
    ]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\ud800", "x" * 101, None, 7, ["web"]])
def test_name_that_is_none(client: ReadOnlyClient, cln: AnsweringCln, name: Any) -> None:
    """An invalid group name is refused before anything is sent."""
    with pytest.raises(InvalidArgumentError) as raised:
        client.groups.servers(name)
    assert raised.value.argument == "name"
    assert cln.asked == []


@pytest.mark.parametrize("name", ["", " ", "\n\u2028"])
def test_group_with_a_blank_name(client: ReadOnlyClient, cln: AnsweringCln, name: str) -> None:
    """A group with a blank name is left out, and the others are returned."""
    cln.gives([{"name": "web"}, {"name": name, "description": "old"}, {"name": "mail"}])
    assert [group.name for group in client.groups.groups()] == ["web", "mail"]


def test_values(client: ReadOnlyClient, cln: AnsweringCln) -> None:
    """Descriptive fields of groups and servers may be missing or odd, and are cleaned."""
    cln.gives([{"name": "a\x1b[31m\n"}, {"name": 7, "description": None}, {"name": "b", "description": []}])
    assert client.groups.groups() == [Group("a [31m", ""), Group("7", ""), Group("b", "")]
    cln.gives([{"id": 1}, {"id": "2", "hostName": {}, "ip": None, "type": "a\x00b", "newer": 1}])
    assert client.groups.servers("a") == [GroupServer("1", "", "", ""), GroupServer("2", "", "", "a b")]


@pytest.mark.parametrize("row", [{}, {"name": "", "id": ""}, {"name": None, "id": {}}, "web"])
def test_rows_without_an_identity(client: ReadOnlyClient, cln: AnsweringCln, row: object) -> None:
    """A row without an id is a bad answer."""
    cln.gives([row])
    for call in (client.groups.groups, lambda: client.groups.servers("web")):
        with pytest.raises(BadAnswerError):
            call()
