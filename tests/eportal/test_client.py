"""The client of an ePortal: what it sends, the list of servers, and responses that do not fit together."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from cln_monitor.cln import (
    AuthorizationError,
    BadAnswerError,
    Deadline,
    Redactor,
    Secret,
    TimedOutError,
    mask_key,
)
from cln_monitor.eportal import EportalClient, EportalCredentials
from cln_monitor.eportal.client import READS
from tests.helpers.clock import FakeClock
from tests.helpers.scripted import http_answer

from .answering import AnsweringEportal, row
from .conftest import API_KEY, Connect


def test_requests(client: EportalClient, eportal: AnsweringEportal) -> None:
    """All servers, those out of date, and the numbers of both kinds take one GET each, with the API key in a header."""
    servers = client.servers()
    assert [server.is_updated for server in servers] == [True, True, False, True, True, False, True]
    assert [server.hostname for server in servers] == [f"app{number}" for number in range(7)]
    assert [(asked.method, asked.path, asked.query) for asked in eportal.asked] == [
        ("GET", "/admin/api/servers", {"limit": "1000", "offset": "0"}),
        ("GET", "/admin/api/servers", {"limit": "1000", "offset": "0", "is_updated": "false"}),
        ("GET", "/admin/api/servers", {"only_count": "true", "is_updated": "true"}),
        ("GET", "/admin/api/servers", {"only_count": "true", "is_updated": "false"}),
    ]
    assert {asked.headers["x-api-key"] for asked in eportal.asked} == {API_KEY}
    assert not any("authorization" in asked.headers for asked in eportal.asked)


def test_count(client: EportalClient) -> None:
    """A count is read without rows, of all servers or of those that are or are not up to date."""
    assert (client.count(), client.count(is_updated=True), client.count(is_updated=False)) == (7, 5, 2)


def test_count_with_rows(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A count may have rows beside it, which is not documented, and it may be of no servers."""
    eportal.answers = [http_answer(b'{"count": 0, "limit": 10, "offset": 0, "result": []}')]
    assert client.count() == 0


def test_no_method_sends_anything_but_a_get(client: EportalClient) -> None:
    """All calls are GETs, and the transport of the client has no method that sends a change."""
    assert {endpoint.method for endpoint in READS} == {"GET"}
    transport = client._transport
    assert "write" not in dict(inspect.getmembers(transport))


@pytest.mark.parametrize("most", [1, 3, 6, 7, 1000])
def test_pages(client: EportalClient, eportal: AnsweringEportal, most: int) -> None:
    """A page may have fewer rows than requested; the next one begins after them."""
    eportal.most = most
    assert [server.server_id for server in client.servers()] == [row["id"] for row in eportal.rows]


def test_an_empty_eportal(client: EportalClient, eportal: AnsweringEportal) -> None:
    """An ePortal without servers has an empty list."""
    eportal.rows = []
    assert client.servers() == []


def test_two_hosts_of_one_name(client: EportalClient, eportal: AnsweringEportal) -> None:
    """Servers are distinguished by their ids: two hosts of one name and address are two servers."""
    eportal.rows = [row(1, hostname="app"), row(2, hostname="app")]
    assert [server.hostname for server in client.servers()] == ["app", "app"]


def test_servers_that_are_not_judged(client: EportalClient, eportal: AnsweringEportal) -> None:
    """If the ePortal counts fewer servers as up to date than remain, those up to date are read as a list, too."""

    def spoil(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        if query.get("is_updated") != "true":
            return fields
        if "only_count" in query:
            return {"count": 4}
        return {**fields, "count": 4, "result": [row for row in fields["result"] if row["id"] != eportal.rows[0]["id"]]}

    eportal.spoil = spoil
    assert [server.is_updated for server in client.servers()] == [None, True, False, True, True, False, True]
    assert eportal.asked[-1].query == {"limit": "1000", "offset": "0", "is_updated": "true"}


def test_servers_up_to_date_that_are_not_listed(client: EportalClient, eportal: AnsweringEportal) -> None:
    """If the list of servers up to date disagrees with their number, it is unknown which of them are."""

    def spoil(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        return {"count": 4} if query.get("only_count") and query["is_updated"] == "true" else fields

    eportal.spoil = spoil
    assert [server.is_updated for server in client.servers()] == [None, None, False, None, None, False, None]


@pytest.mark.parametrize("is_read_as", [None, "true"])
@pytest.mark.parametrize(("number", "outdated"), [(7, 2), (7, 5), (4, 2)])
def test_an_eportal_that_does_not_filter(
    client: EportalClient, eportal: AnsweringEportal, is_read_as: str | None, number: int, outdated: int
) -> None:
    """If the same servers are up to date and out of date, of none it is known; the list of all is complete."""
    eportal.rows = eportal.rows[:number]
    eportal.outdated = {row_["id"] for row_ in eportal.rows[:outdated]}

    def answer(query: dict[str, str]) -> bytes:
        given = {name: value for name, value in query.items() if name != "is_updated"}
        return real(given | ({} if is_read_as is None or len(given) == len(query) else {"is_updated": is_read_as}))

    real, eportal._answer = eportal._answer, answer  # type: ignore[method-assign]
    servers = client.servers()
    assert [server.is_updated for server in servers] == [None] * number


def test_as_many_out_of_date_as_up_to_date(client: EportalClient, eportal: AnsweringEportal) -> None:
    """Two halves of a fleet are two lists."""
    eportal.rows = eportal.rows[2:6]
    assert [server.is_updated for server in client.servers()] == [False, True, True, False]


def _count_too_high(_query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "count": 8}


def _count_too_low(_query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "count": 5}


def _changing_count(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "count": fields["count"] + int(query.get("offset", "0"))}


def _filter_ignored(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return {"count": 7} if "only_count" in query else fields


def _all_are_both(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
    return {"count": 7} if query.get("only_count") and query["is_updated"] == "true" else fields


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_count_too_high, "its pages have 7 servers, but its count is 8"),
        (_count_too_low, "its pages have 6 servers, but its count is 5"),
        (_changing_count, "the count changed from 7 to 10 between two pages"),
        (_filter_ignored, "2 servers out of date are listed, and 7 are counted"),
        (_all_are_both, "7 servers up to date and 2 out of date, of 7"),
    ],
)
def test_disagreement(client: EportalClient, eportal: AnsweringEportal, spoil: Any, problem: str) -> None:
    """Pages and counts that disagree three times in a row are an error, which names them."""
    eportal.most = 3
    eportal.spoil = spoil
    with pytest.raises(BadAnswerError) as raised:
        client.servers()
    expected = f"unexpected response from the ePortal: {problem} (read 3 times)"
    assert str(raised.value) == f"reading /servers at {client.api}: {expected}"


def test_repeated_page(client: EportalClient, eportal: AnsweringEportal) -> None:
    """An ePortal that ignores the offset repeats its first page, which is an error and not a longer list."""

    def spoil(_query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        return {**fields, "result": eportal.rows[:3]}

    eportal.spoil = spoil
    with pytest.raises(BadAnswerError) as raised:
        client.servers()
    assert raised.value.problem.endswith("the page from row 3 on repeats a server (read 3 times)")
    assert len(eportal.asked) == 6


def test_a_server_added_while_reading(client: EportalClient, eportal: AnsweringEportal) -> None:
    """If the list changes while it is read, it is read again."""
    eportal.most = 3

    def spoil(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        if query.get("offset") == "3" and len(eportal.rows) == 7:
            eportal.rows.append(row(7))
            return {**fields, "count": 8}
        return fields

    eportal.spoil = spoil
    assert len(client.servers()) == 8


@pytest.mark.parametrize("most", [1, 1000])
def test_a_rollout_while_reading(client: EportalClient, eportal: AnsweringEportal, most: int) -> None:
    """If servers are updated all the time, which of them are up to date is unknown; the list of all is complete."""
    eportal.rows = [row(number) for number in range(40)]
    eportal.outdated, eportal.most = {row_["id"] for row_ in eportal.rows[1:]}, most

    def spoil(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        if query.get("is_updated") == "false":
            eportal.outdated.pop()
        return fields

    eportal.spoil = spoil
    servers = client.servers()
    assert len(servers) == 40
    assert {server.is_updated for server in servers} == {None}


def test_the_key_expires_between_two_pages(client: EportalClient, eportal: AnsweringEportal) -> None:
    """An API key that expires while pages are read fails the whole list, and the error names the page and the key."""
    eportal.most = 3

    def spoil(query: dict[str, str], fields: dict[str, Any]) -> dict[str, Any]:
        if query["offset"] == "0":
            eportal.answers = [http_answer(b"", status="401 Unauthorized")]
        return fields

    eportal.spoil = spoil
    with pytest.raises(AuthorizationError) as raised:
        client.servers()
    expected = "the ePortal does not accept the API key: it is wrong or has expired (HTTP 401)"
    assert str(raised.value) == f"reading /servers from row 3 on at {client.api}: {expected}"


def test_secrets_stay_out_of_errors(client: EportalClient, eportal: AnsweringEportal, redactor: Redactor) -> None:
    """An error that repeats the API key or a key of the ePortal shows neither."""
    key = "Pl4ntedServerKey1"
    eportal.rows = [row(1, key=key)]
    client.servers()
    eportal.answers = [http_answer(f'{{"error": "{key} and {API_KEY}"}}'.encode(), status="401 Unauthorized")]
    with pytest.raises(AuthorizationError) as raised:
        client.count()
    assert raised.value.problem.endswith(f"(HTTP 401): {mask_key(key)} and <secret>")
    assert redactor.scrub(f"{API_KEY} {key}") == f"<secret> {mask_key(key)}"


def test_a_key_that_is_a_word(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A key that is a mere word is not replaced in host names, of which it is often a part."""
    eportal.rows = [row(1, key="production")]
    client.servers()
    assert client.scrub("production-db1.example.net") == "production-db1.example.net"


def test_deadline(client: EportalClient, eportal: AnsweringEportal, clock: FakeClock) -> None:
    """After the deadline of a run nothing is sent, and the error names the option that sets it."""
    with pytest.raises(TimedOutError) as raised:
        client.within(Deadline(0, clock, "--timeout")).count()
    assert str(raised.value).endswith("deadline exceeded; request not sent; increase --timeout")
    assert eportal.asked == []


def test_a_run_has_connections_of_its_own(client: EportalClient, eportal: AnsweringEportal) -> None:
    """The connections of a run are closed at its end, and its client remembers the difference of the clocks."""
    with client.run() as run:
        run.servers()
        assert run.clock_skew is None
        assert eportal.connections == 1
    with client.run() as run:
        run.count()
    assert eportal.connections == 2


def test_password(connect: Connect, eportal: AnsweringEportal) -> None:
    """A client with a username and a password authenticates by them, in UTF-8, and has no API key."""
    client = connect(eportal.url, EportalCredentials(username="monitoring", password=lambda: Secret("pässword")))
    client.count()
    assert eportal.asked[0].headers["authorization"] == "Basic bW9uaXRvcmluZzpww6Rzc3dvcmQ="
    assert "x-api-key" not in eportal.asked[0].headers


def test_repr(client: EportalClient) -> None:
    """The repr of a client has the host of the ePortal, and no secret."""
    assert repr(client) == f"<EportalClient of {client.api}>"
    assert not client.may_show_secret("app1")
