"""The kinds of responses; tests/exporter/web/test_app.py tests the paths."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.types import Message

from cln_monitor.exporter.forms import Encoded
from cln_monitor.exporter.web import responses
from cln_monitor.exporter.web.responses import (
    header_of,
    in_pieces,
    json_response,
    observation_response,
    text_response,
)


async def _gathered(pieces: Sequence[bytes]) -> list[bytes]:
    return [bytes(piece) async for piece in in_pieces(pieces)]


@pytest.mark.parametrize(
    ("pieces", "sent"),
    [
        ([], [b""]),
        ([b"ab", b"cd"], [b"abcd"]),
        ([b"ab", b"cde"], [b"ab", b"cde", b""]),
        ([b"abcdefghi", b"j"], [b"", b"abcd", b"efgh", b"i", b"j"]),
    ],
)
def test_pieces(pieces: list[bytes], sent: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces are merged, and large ones split to the size of a write."""
    monkeypatch.setattr(responses, "_PIECE", 4)
    assert asyncio.run(_gathered(pieces)) == sent


@pytest.mark.parametrize("size", [1, 1 << 15, (1 << 15) + 1])
def test_a_body_is_small_or_in_pieces(size: int) -> None:
    """A small body is sent at once, which is cheaper; with a large one the server waits for the client."""
    text, ages = b"{" + b" " * (size - 4) + b"}", b'{"a":1}'
    request = Request({"type": "http", "headers": []})
    response = observation_response(request, Encoded(text), ages)
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(response(request.scope, request.receive, send))
    body = text[:-1] + b"," + ages[1:]
    assert b"".join(message.get("body", b"") for message in messages) == body
    assert response.headers["content-length"] == str(len(body))
    assert (len(messages) == 2) == (len(body) <= 1 << 15)


def test_a_header_that_is_sent_twice() -> None:
    """Repeated headers are merged into one list."""
    headers = [(b"accept", b"text/html"), (b"other", b"x"), (b"accept", b"text/plain")]
    assert header_of(Request({"type": "http", "headers": headers}), "accept") == "text/html,text/plain"


def test_nothing_is_taken_for_a_page() -> None:
    """Browsers do not execute text of CLN in JSON or text responses."""
    for response in (json_response({"a": "<b>"}), text_response("<b>", 404)):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        assert "html" not in response.headers["content-type"]
