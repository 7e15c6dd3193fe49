"""Responses that are no list of servers are distinguished, and their errors do not blame CLN."""

from __future__ import annotations

import pytest

from cln_monitor.cln import ClnError
from cln_monitor.eportal import EportalClient
from tests.helpers.scripted import http_answer

from .answering import AnsweringEportal

UNEXPECTED = "unexpected response from the ePortal"
REFUSED = "the ePortal refused the request"


@pytest.mark.parametrize(
    ("status", "body", "reason", "problem"),
    [
        (401, '{"error": "bad key"}', "auth", "API key: it is wrong or has expired (HTTP 401): bad key"),
        (403, "<html>", "auth", "the user of the API key may not read this at the ePortal (HTTP 403)"),
        (400, '{"error": "invalid limit"}', "refused", f"{REFUSED}: HTTP 400: invalid limit"),
        (400, '{"error": null, "message": "invalid limit"}', "refused", f"{REFUSED}: HTTP 400: invalid limit"),
        (400, "", "bad_answer", f"{UNEXPECTED}: an empty body (HTTP 400)"),
        (404, "<html>", "bad_answer", f"{UNEXPECTED}: an HTML page (HTTP 404); check its url"),
        (302, "", "bad_answer", "unexpected redirect (HTTP 302), not followed; check its url"),
        (500, "<html>", "bad_answer", f"{UNEXPECTED}: an HTML page (HTTP 500)"),
        (206, '{"count": 7}', "bad_answer", f"{UNEXPECTED}: truncated or malformed JSON (HTTP 206)"),
        (200, "<html>", "bad_answer", f"{UNEXPECTED}: an HTML page (HTTP 200)"),
        (200, "", "bad_answer", f"{UNEXPECTED}: an empty body (HTTP 200)"),
        (200, '{"count": 7', "bad_answer", f"{UNEXPECTED}: truncated or malformed JSON (HTTP 200)"),
        (200, '{"result": []}', "bad_answer", "Object missing required field `count`) (HTTP 200)"),
        (200, '{"count": "7"}', "bad_answer", "Expected `int`, got `str` - at `$.count`) (HTTP 200)"),
        (200, '{"count": -1}', "bad_answer", f"{UNEXPECTED}: a count of -1"),
        (200, "[]", "bad_answer", "Expected `object`, got `array`) (HTTP 200)"),
        (200, "[" * 100_000, "bad_answer", f"{UNEXPECTED}: "),
    ],
)
def test_answers(
    client: EportalClient, eportal: AnsweringEportal, *, status: int, body: str, reason: str, problem: str
) -> None:
    """Each response has a reason of the contract, and a text that names the ePortal and what to do."""
    eportal.answers = [http_answer(body.encode(), status=f"{status} X")] * 3
    with pytest.raises(ClnError) as raised:
        client.count()
    assert raised.value.reason == reason
    assert problem in str(raised.value)
    assert str(raised.value).startswith(f"counting /servers at {client.api}: ")


def test_a_passing_failure_is_retried(client: EportalClient, eportal: AnsweringEportal) -> None:
    """A server error is retried, as it may pass."""
    eportal.answers = [http_answer(b"", status="502 Bad Gateway")]
    assert client.count() == 7
