"""The responses of the Icinga 2 API are read strictly."""

from __future__ import annotations

import pytest

from cln_monitor.feed.sinks.icinga2_answers import Service, Submitted, services, submitted, user
from cln_monitor.feed.sinks.receiver import AnswerError

DONE = b'{"results":[{"code":200,"status":"Successfully processed check result for object \'a!b\'."}]}'


def test_submitted() -> None:
    """Only a 200 with a 200 for each object in it is a success."""
    assert submitted(200, DONE) == Submitted(200)
    assert submitted(200, DONE.replace(b":200", b":200.0")) == Submitted(200)
    both = b'{"results":[{"code":200,"status":"x"},{"code":409,"status":"Newer"}]}'
    assert submitted(200, both) == Submitted(409, "Newer (code 409)")
    assert submitted(400, b'{"results":[{"code":400,"status":""}]}').reason == "refused without a reason (code 400)"


def test_services() -> None:
    """A query has the services, or a 404 for an empty list."""
    body = b'{"results":[{"name":"a!b","type":"Service","joins":{},"attrs":{"enable_passive_checks":false}}]}'
    (found,) = services(200, body)
    assert isinstance(found, Service)
    assert (found.name, found.attrs.enable_passive_checks) == ("a!b", False)
    assert services(404, b'{"error":404,"status":"No objects found."}') == []


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"<h1>Not here</h1>", "not of Icinga's API"),
        (200, b"{}", "not of Icinga's API"),
        (200, b'{"results":[{"attrs":{}}]}', "not of Icinga's API"),
        (403, b'{"error":403,"status":"Missing permission"}', r"^Missing permission \(HTTP 403\)$"),
        (500, b'{"error":500,"status":"Oops"}', r"^Oops \(HTTP 500\)$"),
    ],
)
def test_no_services(status: int, body: bytes, reason: str) -> None:
    """Other answers to a query are errors, not an empty list."""
    with pytest.raises(AnswerError, match=reason):
        services(status, body)


def test_user() -> None:
    """The user has a name and permissions; an answer without them is an error."""
    found = user(200, b'{"results":[{"user":"cln","permissions":["*"],"version":"r2.13.6-1","info":"More"}]}')
    assert (found.user, found.permissions) == ("cln", ["*"])
    with pytest.raises(AnswerError, match="names no API user"):
        user(200, b'{"results":[]}')
    with pytest.raises(AnswerError, match="not of Icinga's API"):
        user(200, b'{"results":[{"name":"cln"}]}')
