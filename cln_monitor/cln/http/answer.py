"""An HTTP response: its body, read completely and up to a size limit, and its rate limiting."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from cln_monitor.cln.errors import BadAnswerError, ClnError, RateLimitedError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from .settings import TransportSettings
    from .sockets import Call, UsedConnection

T = TypeVar("T")

LARGEST_BODY = 64 << 20
"""Maximum size in bytes of a decompressed response: some 400 000 servers of one key."""

_LARGE_BODY = 8 << 20
_large_bodies = threading.Semaphore(2)  # limits the memory for endless bodies in concurrent calls
_CHUNK = 1 << 16


class HttpAnswer(msgspec.Struct, frozen=True):
    """A response: the HTTP ``status``, the ``body`` decompressed and in UTF-8, the ``location`` of a redirect.

    ``allow`` is the header with the methods that CLN accepts; ``retry_after`` is the header as received, ``wait`` its
    value in seconds or None; ``clock_skew`` is CLN's clock minus the local clock in seconds, or None if the response
    has no usable date.
    """

    status: int
    body: bytes
    location: str = ""
    allow: str = ""
    retry_after: str = ""
    wait: float | None = None
    clock_skew: float | None = None
    paging: Mapping[str, str] = {}
    """The paging fields in its headers."""
    has_end: bool = True
    """Whether its end is marked, by a length, chunks or compression; if not, the body may have been truncated."""


class Reply(NamedTuple):
    """A response and its connection."""

    answer: HttpAnswer
    connection: UsedConnection | None

    def decoded(self, decode: Callable[[HttpAnswer], T]) -> T:
        """Return ``decode(answer)``. If that raises a ClnError, the connection is not reused."""
        try:
            return decode(self.answer)
        except ClnError:
            if self.connection is not None:
                self.connection.retire()
            raise


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


def read_body(response: BaseHTTPResponse, call: Call, settings: TransportSettings) -> bytes:
    """Return the decompressed body of ``response``, read before the deadline of ``call``. Raises BadAnswerError."""
    largest = settings.largest_body or LARGEST_BODY
    from cln_monitor.http_body import unpack  # noqa: PLC0415 # http.client, which a response has loaded by then

    pieces, size = [], 0
    with contextlib.ExitStack() as large:
        packed = iter(lambda: response.read(_CHUNK, decode_content=False), b"")
        for piece in unpack(packed, response.headers.get("Content-Encoding", "")):
            if size <= _LARGE_BODY < size + len(piece):
                if not _large_bodies.acquire(timeout=call.left()):
                    raise TimeoutError("timed out waiting for other large responses")
                large.callback(_large_bodies.release)
            size += len(piece)
            if size > largest:
                shown = f"{largest >> 20} MB" if largest >> 20 else f"{largest >> 10} KB"
                raise BadAnswerError(
                    f"unexpected response from {settings.server}: larger than {shown}", request_sent=True
                )
            pieces.append(piece)
        return b"".join(pieces)


def rate_limit(answer: HttpAnswer, server: str) -> RateLimitedError | None:
    """Return the error if the response is a rate limit of ``server``, such as CLN, else None."""
    if answer.status != 429 and not (answer.status == 503 and answer.retry_after):
        return None
    wait = "" if answer.wait is None else f", retry after {answer.wait:.0f} s"
    # With 429 the request was not processed; with 503 that is unknown.
    return RateLimitedError(
        f"rate limited by {server}: HTTP {answer.status}{wait}",
        retry_after=answer.wait,
        request_sent=answer.status != 429,
    )


_GAVE_UP = frozenset({408, 444, 460, 499})


def means_not_processed(status: int) -> bool:
    """Return whether a response with this HTTP ``status`` means that the request was not processed.

    A client error does: "the server cannot or will not process the request" (RFC 9110, sections 15 and 15.5). That
    includes 405 and 411 to 417, which reject the form of a request; 409, "could not be completed"; 425, "unwilling to
    risk processing" it (RFC 8470); 429 (RFC 6585); and unknown ones, which count as 400. The exceptions are 408, which
    is a response to an incomplete request, and so not to this one, and 444, 460 and 499, which load balancers send when
    a side has given up waiting.

    It is unknown after a server error (section 15.6), which a gateway may send while CLN is still processing; after a
    redirect, as 303 follows a completed request; and after an incomplete or missing response.
    """
    return 400 <= status < 500 and status not in _GAVE_UP
