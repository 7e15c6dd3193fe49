"""The kinds of responses: metrics, JSON, and text; large bodies are sent in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from cln_monitor.exporter.forms import Encoded
from cln_monitor.exporter.metrics.exposition import Exposition

from .protocol import prefers_gzip

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PIECE = 1 << 20  # bytes passed to the server at a time; it copies them for each connection
_SMALL = 1 << 15  # bytes of a body that is sent at once; a connection buffers twice as many without waiting


class PiecesResponse(StreamingResponse):
    """A response with a body in pieces.

    Unlike the base class it runs no task that waits for a disconnect: uvicorn stops sending after one.
    """

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        except OSError:
            raise ClientDisconnect from None


class _SmallResponse(Response):
    """A response with a small body, sent at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except OSError:
            raise ClientDisconnect from None


def exposition_response(request: Request, exposition: Exposition, tail: bytes, content_type: str) -> Response:
    """Return the metrics of ``exposition`` followed by ``tail``, compressed if the ``request`` prefers gzip."""
    zipped = prefers_gzip(header_of(request, "accept-encoding"))
    pieces = exposition.gzipped(tail) if zipped else exposition.plain(tail)
    headers = {
        "Content-Type": content_type,
        "Vary": "Accept, Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return _response(pieces, headers)


def observation_response(request: Request, encoded: Encoded, ages: bytes) -> Response:
    """Return the JSON objects ``encoded`` and ``ages``, joined to one object; compressed if the request prefers it."""
    end = b"," + ages[1:]
    pieces: Sequence[bytes | memoryview] = [memoryview(encoded.text)[:-1], end]
    headers = SAFE_HEADERS | {"Content-Type": "application/json", "Vary": "Accept-Encoding"}
    if encoded.compressed is not None and prefers_gzip(header_of(request, "accept-encoding")):
        headers["Content-Encoding"] = "gzip"
        pieces = encoded.compressed.gzipped(end)
    return _response(pieces, headers)


def _response(pieces: Sequence[bytes | memoryview], headers: dict[str, str]) -> Response:
    size = sum(map(len, pieces))
    if size <= _SMALL:
        return _SmallResponse(b"".join(pieces), headers=headers)
    return PiecesResponse(in_pieces(pieces), headers=headers | {"Content-Length": str(size)})


def header_of(request: Request, header: str) -> str:
    """Return all values of a ``header``, joined by commas."""
    return ",".join(request.headers.getlist(header))


async def in_pieces(pieces: Sequence[bytes | memoryview]) -> AsyncIterator[bytes | memoryview]:
    """Yield ``pieces`` in a suitable size: small ones merged, large ones split."""
    buffer = bytearray()
    for piece in pieces:
        if len(buffer) + len(piece) <= _PIECE:
            buffer += piece
            continue
        yield bytes(buffer)
        buffer.clear()
        view = memoryview(piece)
        for start in range(0, len(piece), _PIECE):
            yield view[start : start + _PIECE]
    yield bytes(buffer)


def json_response(answer: object, status: int = 200) -> Response:
    """Return a response with ``answer`` as JSON."""
    return Response(msgspec.json.encode(answer), status, media_type="application/json", headers=SAFE_HEADERS)


def text_response(text: str, status: int = 200) -> Response:
    """Return a response with ``text`` as a line of plain text."""
    return PlainTextResponse(text + "\n", status, headers=SAFE_HEADERS)
