"""An HTTP answer: its body, read whole and within bounds, and what CLN asks for in it."""

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
"""Bytes of an answer, unpacked, that are read before it counts as bad: some 400 000 servers under one key."""

_LARGE_BODY = 8 << 20
_places_for_large = threading.Semaphore(2)  # bodies without end, on all calls at once, are not all held in memory
_CHUNK = 1 << 16


class HttpAnswer(msgspec.Struct, frozen=True):
    """What came back: the HTTP ``status``, the ``body`` unpacked and in UTF-8, the ``location`` of a redirect.

    ``retry_after`` is the header as it came, ``wait`` the seconds that it asks for, None for none; ``clock_skew`` CLN's
    clock less ours in seconds, None when it told none.
    """

    status: int
    body: bytes
    location: str = ""
    retry_after: str = ""
    wait: float | None = None
    clock_skew: float | None = None
    paging: Mapping[str, str] = {}
    """What its headers say of paging."""


class Exchange(msgspec.Struct, frozen=True):
    """One request as an observer sees it.

    ``endpoint`` is the template of the path, ``code`` the HTTP status or the reason there is none, ``seconds`` how
    long it took, ``clock_skew`` CLN's clock less ours in seconds, or None when the answer does not tell.
    """

    api: str
    endpoint: str
    code: str
    seconds: float
    clock_skew: float | None


def read_body(response: BaseHTTPResponse, call: Call) -> bytes:
    """Return the body of ``response``, unpacked, read before the deadline of ``call``. Raises BadAnswerError."""
    pieces, size = [], 0
    with contextlib.ExitStack() as large:
        packed = iter(lambda: response.read(_CHUNK, decode_content=False), b"")
        for piece in unpack(packed, response.headers.get("Content-Encoding", "")):
            if size <= _LARGE_BODY < size + len(piece):
                if not _places_for_large.acquire(timeout=call.left()):
                    raise TimeoutError("other large answers were read all the time")
                large.callback(_places_for_large.release)
            size += len(piece)
            if size > LARGEST_BODY:
                raise BadAnswerError(
                    f"the answer is larger than {LARGEST_BODY >> 20} MB, which no list of CLN is", request_sent=True
                )
            pieces.append(piece)
        return b"".join(pieces)


def rate_limit(answer: HttpAnswer) -> RateLimitedError | None:
    """Return the error by which CLN asks us to slow down, where it does."""
    if answer.status != 429 and not (answer.status == 503 and answer.retry_after):
        return None
    asked = "" if answer.wait is None else f" and asks to wait {answer.wait:.0f} s"
    # With 429 it did not even look at the request; what a 503 comes from nobody knows.
    return RateLimitedError(
        f"CLN answers HTTP {answer.status}{asked}", retry_after=answer.wait, request_sent=answer.status != 429
    )
