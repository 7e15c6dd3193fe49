"""Responses to a change that mean that nothing was changed, and the messages of CLN in errors."""

from __future__ import annotations

import json
import re

import pytest

from cln_monitor.cln import AuthorizationError, BadAnswerError, Client, ClnError, RateLimitedError, RefusedError
from cln_monitor.cln.http.answer import means_not_processed

from .answering import AnsweringCln
from .asking import KEY, SECRET_KEY, Clients, enveloped
from .changes import CHANGES, Change, named

OPEN = re.compile("may (?:have been made|be registered)")
REFUSING = ["400 Bad Request", "404 Not Found", "405 Not Allowed", "409 Conflict", "411 Length Required"]
REFUSING += ["413 Content Too Large", "415 Unsupported Media Type", "422 Unprocessable Content", "425 Too Early"]
UNKNOWN = ["200 OK", "302 Found", "303 See Other", "408 Request Timeout", "499 ", "500 Oops", "502 Bad Gateway", "504 "]

_OF_EACH_KIND = {"kernelcare.delete_key", "groups.add_servers", "groups.remove_servers", "monitoring_keys.register"}
each_change = pytest.mark.parametrize(
    "change", [change for change in CHANGES if change.call in _OF_EACH_KIND], ids=named
)


def spring(status: int, message: object = "no such handler", error: object = "Bad Request") -> str:
    """Return an error body of the Spring framework."""
    return json.dumps(
        {
            "timestamp": "2024-04-30T15:26:00.000+00:00",
            "status": status,
            "error": error,
            "message": message,
            "path": "/api/kcare/key/delete.json",
        }
    )


@pytest.fixture
def client(clients: Clients, cln: AnsweringCln) -> Client:
    """A client that can change the account."""
    return clients.writer(cln.url)


@pytest.mark.parametrize("status", [*range(400, 500)])
def test_client_errors(status: int) -> None:
    """Status codes 400 to 499 mean "not processed", except those of a timeout or abort."""
    assert means_not_processed(status) == (status not in {408, 444, 460, 499})


@pytest.mark.parametrize("status", [100, 200, 204, 301, 303, 307, 399, 500, 501, 502, 503, 504, 520, 599])
def test_all_else(status: int) -> None:
    """Success, redirects and server errors do not mean "not processed"."""
    assert not means_not_processed(status)


@each_change
@pytest.mark.parametrize("status", REFUSING)
def test_change_refused_by_status(client: Client, cln: AnsweringCln, change: Change, status: str) -> None:
    """After a client error nothing was changed, with any body."""
    for body in ("<html>", "", "no", "{}"):
        cln.says(body, status)
        assert_nothing_was_done(client, change, status)
    assert len(cln.asked) == 4


def assert_nothing_was_done(client: Client, change: Change, status: str) -> None:
    """Fail unless the error of ``change`` says that nothing was changed, and names the ``status``."""
    with pytest.raises(RefusedError) as raised:
        change.make(client)
    assert raised.value.problem.startswith("nothing was changed: ")
    assert f"HTTP {status[:3]}" in raised.value.problem
    assert not raised.value.outcome_unknown
    assert OPEN.search(str(raised.value)) is None


@each_change
@pytest.mark.parametrize("status", REFUSING)
def test_change_refused_in_words(client: Client, cln: AnsweringCln, change: Change, status: str) -> None:
    """A refused change has the message of CLN, and a known outcome."""
    for body in (spring(int(status[:3]), "no such handler"), '{"message": "no such handler"}'):
        cln.says(body, status)
        with pytest.raises(RefusedError) as raised:
            change.make(client)
        assert raised.value.problem.startswith(f"CLN refused the request: HTTP {status[:3]}: no such handler")
        assert not raised.value.outcome_unknown


@each_change
@pytest.mark.parametrize("status", UNKNOWN)
def test_change_left_open(client: Client, cln: AnsweringCln, change: Change, status: str) -> None:
    """Any other unexpected response leaves the outcome of a change unknown."""
    for body in ("<html>", "", spring(500)):
        cln.says(body, status)
        with pytest.raises(BadAnswerError) as raised:
            change.make(client)
        assert raised.value.outcome_unknown
        assert OPEN.search(str(raised.value))


def test_success_with_a_client_error(client: Client, cln: AnsweringCln) -> None:
    """Success in the body of a client error leaves the outcome unknown."""
    for status in REFUSING:
        cln.says(enveloped(True), status)
        with pytest.raises(BadAnswerError) as raised:
            client.kernelcare.delete_key(KEY)
        assert raised.value.outcome_unknown
        cln.says("success:true code:0", status)
        with pytest.raises(BadAnswerError) as raised:
            client.monitoring_keys.register("x" * 16)
        assert raised.value.outcome_unknown


NO_WORD = "JSON without a success field"
UNAUTHORIZED = "Authorization failed"


@pytest.mark.parametrize(
    ("status", "body", "kind", "problem"),
    [
        (400, spring(400), RefusedError, "CLN refused the request: HTTP 400: no such handler"),
        (400, spring(400, ""), RefusedError, "CLN refused the request: HTTP 400: Bad Request"),
        (400, spring(400, None), RefusedError, "CLN refused the request: HTTP 400: Bad Request"),
        (400, spring(400, ["a"]), RefusedError, "CLN refused the request: HTTP 400: Bad Request"),
        (404, spring(404, "", "Nope"), RefusedError, "CLN refused the request: HTTP 404: Nope; check api_url"),
        (401, spring(401, "Bad token"), AuthorizationError, "CLN refused the token: Bad token"),
        (403, spring(403, "", "Forbidden"), AuthorizationError, "CLN refused the token: Forbidden"),
        (400, spring(400, UNAUTHORIZED), AuthorizationError, f"CLN refused the token: {UNAUTHORIZED}"),
        (
            500,
            spring(500, "boom"),
            BadAnswerError,
            f"unexpected response from CLN: {NO_WORD} (HTTP 500); message: boom",
        ),
        (
            408,
            spring(408, "late"),
            BadAnswerError,
            f"unexpected response from CLN: {NO_WORD} (HTTP 408); message: late",
        ),
        (200, spring(200, "odd"), BadAnswerError, f"unexpected response from CLN: {NO_WORD} (HTTP 200)"),
        (400, '{"status": 400}', BadAnswerError, f"unexpected response from CLN: {NO_WORD} (HTTP 400)"),
        (404, "<html>", BadAnswerError, "unexpected response from CLN: an HTML page (HTTP 404); check api_url"),
    ],
)
def test_reads_repeat_the_words(
    *, clients: Clients, cln: AnsweringCln, status: int, body: str, kind: type[ClnError], problem: str
) -> None:
    """The message of CLN is in the error of a read as well."""
    cln.says(body, f"{status} Some")
    with pytest.raises(ClnError) as raised:
        clients.client(cln.url).kernelcare.keys()
    assert type(raised.value) is kind
    assert raised.value.problem == problem


def test_words_are_clean(clients: Clients, cln: AnsweringCln) -> None:
    """The message of CLN is on one line, truncated, and without secrets."""
    cln.says(spring(400, f"a\nb\x1b[31m {SECRET_KEY} {KEY} " + "x" * 10_000), "400 Bad")
    with pytest.raises(RefusedError) as raised:
        clients.writer(cln.url).kernelcare.delete_key(KEY)
    text = str(raised.value)
    assert "a b [31m <secret> " in text
    assert SECRET_KEY not in text
    assert KEY not in text
    assert text.isprintable()
    assert len(text) < 600


def test_too_many_requests(client: Client, cln: AnsweringCln) -> None:
    """After a rate limit nothing was changed, and the outcome is known."""
    cln.says(spring(429, "slow down"), "429 Many")
    with pytest.raises(RateLimitedError) as raised:
        client.kernelcare.delete_key(KEY)
    assert not raised.value.outcome_unknown
