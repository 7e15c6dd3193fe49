"""What the paths of the exporter answer with: metrics, JSON and text, large bodies in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from cln_monitor.exporter.metrics.exposition import Exposition

from .protocol import prefers_gzip

SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PIECE = 1 << 20  # bytes handed to the server at a time; it copies what it is given, for each connection


class PiecesResponse(StreamingResponse):
    """A body in pieces.

    Starlette runs a task beside each to learn that the client has left. There is none here: uvicorn sends no more.
    """

    async def __call__(self, _: Scope, __: Receive, send: Send) -> None:
        try:
            await self.stream_response(send)
        except OSError:
            raise ClientDisconnect from None


def exposition_response(request: Request, exposition: Exposition, tail: bytes, content_type: str) -> Response:
    """Return the metrics of ``exposition`` with ``tail`` at their end, compressed if the ``request`` prefers that."""
    zipped = prefers_gzip(header_of(request, "accept-encoding"))
    pieces = exposition.gzipped(tail) if zipped else exposition.plain(tail)
    headers = {
        "Content-Type": content_type,
        "Content-Length": str(sum(map(len, pieces))),
        "Vary": "Accept, Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if zipped:
        headers["Content-Encoding"] = "gzip"
    return PiecesResponse(in_pieces(pieces), headers=headers)


def header_of(request: Request, header: str) -> str:
    """Return all values of a ``header``, as one list."""
    return ",".join(request.headers.getlist(header))


async def in_pieces(pieces: Sequence[bytes | memoryview]) -> AsyncIterator[bytes | memoryview]:
    """Give small pieces together and large ones cut."""
    gathered = bytearray()
    for piece in pieces:
        if len(gathered) + len(piece) <= _PIECE:
            gathered += piece
            continue
        yield bytes(gathered)
        gathered.clear()
        view = memoryview(piece)
        for start in range(0, len(piece), _PIECE):
            yield view[start : start + _PIECE]
    yield bytes(gathered)


def json_response(answer: object, status: int = 200) -> Response:
    """Return ``answer`` as JSON."""
    return Response(msgspec.json.encode(answer), status, media_type="application/json", headers=SAFE_HEADERS)


def text_response(text: str, status: int = 200) -> Response:
    """Return a line of plain text."""
    return PlainTextResponse(text + "\n", status, headers=SAFE_HEADERS)
