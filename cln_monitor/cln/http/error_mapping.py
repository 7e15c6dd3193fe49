"""What the exceptions of the HTTP libraries mean, in our own words and without their URLs."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import urllib3

from cln_monitor.cln.errors import BadAnswerError, ClnError, TimedOutError, UnreachableError
from cln_monitor.http_body import BodyError, UnfinishedBodyError
from cln_monitor.http_response import InvalidResponseError, NotHttpError
from cln_monitor.text_cleaning import clean_text

FAILURES = (
    OSError,
    ValueError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
)
"""All that a request and the reading of its answer may raise."""


def translate(error: BaseException, stage: str, seconds: float, *, request_sent: bool = False) -> ClnError:
    """Return the error of ours that ``error`` is; ``stage`` is how far the call was, ``seconds`` its deadline."""
    meant = _meaning_of(error, stage, seconds)
    meant.request_sent = request_sent
    return meant


def _meaning_of(error: BaseException, stage: str, seconds: float) -> ClnError:
    causes = list(_causes(error))
    for kinds, meaning in _MEANINGS:
        for cause in causes:
            if isinstance(cause, kinds):
                return meaning(cause, stage, seconds)
    return UnreachableError(f"{type(error).__name__} while {stage}")


_CUT = "the answer was cut: less came than its header promised"
_INVALID = "unexpected response from CLN: not valid HTTP"
_Meaning = Callable[[Any, str, float], ClnError]

# The first that fits counts, so what is special stands before what is general.
_MEANINGS: tuple[tuple[tuple[type[BaseException], ...], _Meaning], ...] = (
    (
        (TimeoutError, urllib3.exceptions.TimeoutError),
        lambda _, stage, seconds: TimedOutError(f"no complete answer within {seconds:.3g} s, it was still {stage}"),
    ),
    (
        (socket.gaierror,),
        lambda cause, *_: UnreachableError(f"the host name does not resolve ({cause.strerror})", transient=True),
    ),
    (
        (ssl.SSLCertVerificationError,),
        lambda cause, *_: UnreachableError(
            f"its TLS certificate is not to be trusted ({cause.verify_message.rstrip('.')})"
        ),
    ),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        lambda _, stage, __: UnreachableError(f"the connection was closed while {stage}", transient=True),
    ),
    (
        (ssl.SSLError,),
        lambda cause, *_: UnreachableError(_tls_problem(getattr(cause, "reason", None) or "no reason given")),
    ),
    (
        (urllib3.exceptions.ProxyError,),
        lambda cause, *_: _of_proxy(cause),
    ),
    (
        (NotHttpError,),
        lambda cause, *_: BadAnswerError(f"{_INVALID} ({cause}); is api_url right?"),
    ),
    (
        (InvalidResponseError,),
        lambda cause, *_: BadAnswerError(f"{_INVALID} ({cause})"),
    ),
    (
        (UnfinishedBodyError,),
        lambda cause, *_: BadAnswerError(f"the answer was cut: {cause}", transient=True),
    ),
    (
        (BodyError,),
        lambda cause, *_: BadAnswerError(f"unexpected response from CLN: not {cause}"),
    ),
    (
        (urllib3.exceptions.IncompleteRead, http.client.IncompleteRead),
        lambda *_: BadAnswerError(_CUT, transient=True),
    ),
    (
        (ConnectionRefusedError,),
        lambda *_: UnreachableError("connection refused", transient=True),
    ),
    (
        (ConnectionError,),
        lambda _, stage, __: UnreachableError(f"the connection was closed while {stage}", transient=True),
    ),
    (
        (http.client.HTTPException, urllib3.exceptions.InvalidHeader),
        lambda *_: BadAnswerError(f"{_INVALID}; is api_url right?"),
    ),
    (
        (OSError,),
        lambda cause, stage, _: UnreachableError(
            f"{cause.strerror or type(cause).__name__} while {stage}", transient=cause.errno is not None
        ),
    ),
    (
        (urllib3.exceptions.ProtocolError,),
        lambda *_: BadAnswerError(_CUT, transient=True),
    ),
)


def _tls_problem(reason: str) -> str:
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "what answers there does not speak TLS; is api_url right?"
    return f"TLS failed ({reason.lower().replace('_', ' ')})"


def _of_proxy(error: urllib3.exceptions.ProxyError) -> ClnError:
    for cause in _causes(error):
        refused = re.match(r"Tunnel connection failed: (\d.*)", str(cause), re.DOTALL)
        if refused:
            return UnreachableError(
                f"the proxy refuses: {clean_text(refused[1])}", transient=refused[1].startswith("5")
            )
        if isinstance(cause, OSError) and cause.strerror:
            return UnreachableError(f"the proxy cannot be reached ({cause.strerror})", transient=True)
    return UnreachableError("the proxy gives no way through", transient=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to what lies behind it: chained, given as ``reason``, or as an argument."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        behind = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        waiting += [other for other in behind if isinstance(other, BaseException)]


_GAVE_UP = frozenset({408, 444, 460, 499})


def says_nothing_was_done(status: int) -> bool:
    """Tell whether an answer with this HTTP ``status`` says that the request was not carried out.

    A client error does: "the server cannot or will not process the request" (RFC 9110, sections 15 and 15.5). That
    includes 405 and 411 to 417, by which a server refuses a request for its form; 409, "could not be completed";
    425, "unwilling to risk processing" it (RFC 8470); 429 (RFC 6585); and any that nobody knows, which counts as 400.
    The exceptions are 408, which answers a request that never arrived completely, and so not ours, and 444, 460 and
    499, by which load balancers say that somebody gave up waiting.

    Nothing is known after a server error (section 15.6), which may come from a gateway while CLN goes on working; after
    a redirect, as 303 follows what was done; and after an answer that is cut or missing.
    """
    return 400 <= status < 500 and status not in _GAVE_UP
