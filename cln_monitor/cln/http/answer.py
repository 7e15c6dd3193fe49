"""An HTTP response: its body, read completely and up to a size limit, and its rate limiting."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping

import msgspec
from urllib3 import BaseHTTPResponse

from cln_monitor.cln.errors import BadAnswerError, RateLimitedError
from cln_monitor.http_body import unpack

from .sockets import Call

LARGEST_BODY = 64 << 20
"""Maximum size in bytes of a decompressed response: some 400 000 servers of one key."""

_LARGE_BODY = 8 << 20
_large_bodies = threading.Semaphore(2)  # limits the memory for endless bodies in concurrent calls
_CHUNK = 1 << 16


class HttpAnswer(msgspec.Struct, frozen=True):
    """A response: the HTTP ``status``, the ``body`` decompressed and in UTF-8, the ``location`` of a redirect.

    ``retry_after`` is the header as received, ``wait`` its value in seconds or None; ``clock_skew`` is CLN's clock
    minus the local clock in seconds, or None if the response has no usable date.
    """

    status: int
    body: bytes
    location: str = ""
    retry_after: str = ""
    wait: float | None = None
    clock_skew: float | None = None
    paging: Mapping[str, str] = {}
    """The paging fields in its headers."""


class Exchange(msgspec.Struct, frozen=True):
    """One request, for observers.

    ``endpoint`` is the template of the path, ``code`` the HTTP status or the reason of the failure, ``seconds`` the
    duration, ``clock_skew`` CLN's clock minus the local clock in seconds, or None if the response has no usable date.
    """

    api: str
    endpoint: str
    code: str
    seconds: float
    clock_skew: float | None


def read_body(response: BaseHTTPResponse, call: Call) -> bytes:
    """Return the decompressed body of ``response``, read before the deadline of ``call``. Raises BadAnswerError."""
    pieces, size = [], 0
    with contextlib.ExitStack() as large:
        packed = iter(lambda: response.read(_CHUNK, decode_content=False), b"")
        for piece in unpack(packed, response.headers.get("Content-Encoding", "")):
            if size <= _LARGE_BODY < size + len(piece):
                if not _large_bodies.acquire(timeout=call.left()):
                    raise TimeoutError("timed out waiting for other large responses")
                large.callback(_large_bodies.release)
            size += len(piece)
            if size > LARGEST_BODY:
                raise BadAnswerError(
                    f"unexpected response from CLN: larger than {LARGEST_BODY >> 20} MB", request_sent=True
                )
            pieces.append(piece)
        return b"".join(pieces)


def rate_limit(answer: HttpAnswer) -> RateLimitedError | None:
    """Return the error if the response is a rate limit of CLN, else None."""
    if answer.status != 429 and not (answer.status == 503 and answer.retry_after):
        return None
    wait = "" if answer.wait is None else f", retry after {answer.wait:.0f} s"
    # With 429 the request was not processed; with 503 that is unknown.
    return RateLimitedError(
        f"rate limited by CLN: HTTP {answer.status}{wait}", retry_after=answer.wait, request_sent=answer.status != 429
    )
