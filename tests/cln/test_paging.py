"""A list that is one page of several is not taken for the whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cln_monitor.cln import BadAnswerError, Client
from cln_monitor.cln.paging import paging_of_headers, signs_of_more

from .answering import AnsweringCln
from .asking import Clients

ROWS = [{"key": "WsTs821nSAtiastD", "limit": 5}, {"key": "Zq7T0p1xVb93LmKe", "limit": 5}]

PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "pages": ({"page": 1, "pages": 9}, "pages: 9"),
    "pages as text": ({"page": "1", "pages": "9"}, "pages: 9"),
    "totalPages": ({"totalPages": 2}, "totalpages: 2"),
    "a later page": ({"page": 2}, "page: 2"),
    "total": ({"total": 3}, "total: 3"),
    "total_count": ({"total_count": 3}, "totalcount: 3"),
    "count": ({"count": 120, "next": None}, "count: 120"),
    "hasMore": ({"hasMore": True}, "more rows"),
    "has_next": ({"has_next": "true"}, "hasnext"),
    "truncated": ({"isTruncated": True}, "istruncated"),
    "not the last": ({"last": False, "first": True}, "last"),
    "next as a URL": ({"next": "/kcare/key/list.json?page=2", "previous": None}, "a next page"),
    "next as a number": ({"nextPage": 2}, "nextpage"),
    "a cursor": ({"next_cursor": "abc"}, "nextcursor"),
    "offset": ({"offset": 100, "limit": 100}, "offset: 100"),
    "meta": ({"meta": {"pagination": {"total_pages": 4}}}, "totalpages: 4"),
    "links": ({"_links": {"self": {"href": "/"}, "next": {"href": "/2"}}}, "a next page"),
    "a page of Spring": (
        {"page": {"size": 2, "number": 0, "totalElements": 5, "totalPages": 3}},
        "totalelements: 5, totalpages: 3",
    ),
}
WHOLE: dict[str, dict[str, Any]] = {
    "the only page": {"page": 1, "pages": 1, "total": 2, "count": 2},
    "page 0 of 1": {"page": 0, "totalPages": 1, "last": True, "first": True, "hasMore": False},
    "nothing follows": {"next": None, "nextPage": "", "next_cursor": None, "hasNext": "false", "offset": 0},
    "a page size": {"limit": 100, "per_page": 100, "size": 100},
    "a total that is smaller": {"total": 0, "count": 1},
    "links to itself": {"links": {"self": "/", "next": None}, "meta": {"total": 2}},
    "other fields": {"code": 0, "timestamp": 1700000000, "page": "keys", "total": {"limit": 10}, "count": True},
    "deep down": {"a": {"total": 99}, "meta": {"meta": {"meta": {"meta": {"total": 99}}}}},
}


def body(beside: dict[str, Any]) -> bytes:
    """Return a list of two keys with other fields ``beside`` it."""
    return json.dumps({"success": True, "message": None, "type": None, "data": ROWS, **beside}).encode()


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> Client:
    """A client whose responses the test sets."""
    return clients.writer(cln.url)


@pytest.mark.parametrize("data_first", [True, False])
@pytest.mark.parametrize(("beside", "signs"), PARTS.values(), ids=PARTS.keys())
def test_one_page_of_several(
    *, client: Client, cln: AnsweringCln, beside: dict[str, Any], signs: str, data_first: bool
) -> None:
    """The error names the fields that show a partial list."""
    cln.says(body(beside) if data_first else json.dumps({**beside, "success": True, "data": ROWS}))
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.keys()
    assert raised.value.problem == f"unexpected response from CLN: one page of several ({signs}; 2 rows)"
    assert not raised.value.transient


@pytest.mark.parametrize("beside", WHOLE.values(), ids=WHOLE.keys())
def test_only_page(client: Client, cln: AnsweringCln, beside: dict[str, Any]) -> None:
    """Fields that do not show a partial list are ignored."""
    cln.says(body(beside))
    assert len(client.kernelcare.keys()) == 2


HEADERS_OF_A_PART = {
    'Link: </api/x?page=2>; rel="next"': "a next page",
    "Link: </a>; rel=preload, </x?page=2>; rel=next": "a next page",
    "X-Total-Count: 3": "total: 3",
    "X-Total-Pages: 2": "pages: 2",
    "X-Next-Page: 2": "a next page",
    "Content-Range: items 0-1/3": "more rows",
    "Content-Range: items 2-3/4": "more rows",
    "Content-Range: items 0-1/*": "more rows",
}


@pytest.mark.parametrize(("header", "signs"), HEADERS_OF_A_PART.items())
def test_headers_of_a_part(client: Client, cln: AnsweringCln, header: str, signs: str) -> None:
    """Paging headers that show a partial list are an error."""
    cln.says(body({}), "200 OK", header)
    with pytest.raises(BadAnswerError) as raised:
        client.kernelcare.keys()
    assert raised.value.problem == f"unexpected response from CLN: one page of several ({signs}; 2 rows)"


def test_headers_tell_of_a_bare_list_as_well(client: Client, cln: AnsweringCln) -> None:
    """Paging headers count for a list without the envelope as well."""
    cln.says(json.dumps([{"product": "AWP_PREMIUM", "primary_domain": "a.example"}]), "200 OK", "X-Total-Count: 2")
    with pytest.raises(BadAnswerError, match="one page of several"):
        client.awp.usage("2026-01")


@pytest.mark.parametrize(
    "header", ["Link: </style.css>; rel=preload", "X-Total-Count: 2", "Content-Range: items 0-1/2", "X-Next-Page: "]
)
def test_headers_of_the_whole(client: Client, cln: AnsweringCln, header: str) -> None:
    """Headers that do not show a partial list are ignored."""
    cln.says(body({}), "200 OK", header)
    assert len(client.kernelcare.keys()) == 2


def test_change_is_no_page(client: Client, cln: AnsweringCln) -> None:
    """The response to a change is never taken for a partial list."""
    cln.says(json.dumps({"success": True, "data": True, "total": 9, "next": "/x"}))
    client.kernelcare.delete_key("WsTs821nSAtiastD")


def test_signs_of_any_fields() -> None:
    """Any fields beside a list are read without an exception."""
    assert list(signs_of_more({"page": [], "next": {}, "total": -1, "links": "x", "count": 1.5, "": None}, 0)) == []
    assert paging_of_headers({}) == {}
