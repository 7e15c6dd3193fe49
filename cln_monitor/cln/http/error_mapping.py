"""Translate the exceptions of the HTTP libraries into ClnErrors, without their URLs."""

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
"""All exceptions that a request and the reading of its response may raise."""


def translate(error: BaseException, stage: str, seconds: float, *, request_sent: bool = False) -> ClnError:
    """Return the ClnError for ``error``; ``stage`` is the phase of the call, ``seconds`` its deadline."""
    translated = _translated(error, stage, seconds)
    translated.request_sent = request_sent
    return translated


def _translated(error: BaseException, stage: str, seconds: float) -> ClnError:
    causes = list(_causes(error))
    for kinds, make_error in _TRANSLATIONS:
        for cause in causes:
            if isinstance(cause, kinds):
                return make_error(cause, stage, seconds)
    return UnreachableError(f"{type(error).__name__} {stage}")


_INCOMPLETE = "incomplete response from CLN: the connection was closed before the end of the body"
_INVALID = "unexpected response from CLN: not valid HTTP"
_MakeError = Callable[[Any, str, float], ClnError]

# The first match counts, so specific types come before general ones.
_TRANSLATIONS: tuple[tuple[tuple[type[BaseException], ...], _MakeError], ...] = (
    (
        (TimeoutError, urllib3.exceptions.TimeoutError),
        lambda _, stage, seconds: TimedOutError(f"timed out after {seconds:.3g} s {stage}"),
    ),
    (
        (socket.gaierror,),
        lambda cause, *_: UnreachableError(f"cannot resolve the host name: {cause.strerror}", transient=True),
    ),
    (
        (ssl.SSLCertVerificationError,),
        lambda cause, *_: UnreachableError(f"TLS certificate verification failed: {cause.verify_message.rstrip('.')}"),
    ),
    (
        (ssl.SSLEOFError, ssl.SSLZeroReturnError),
        lambda _, stage, __: UnreachableError(f"connection closed {stage}", transient=True),
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
        lambda cause, *_: BadAnswerError(f"{_INVALID} ({cause}); check api_url"),
    ),
    (
        (InvalidResponseError,),
        lambda cause, *_: BadAnswerError(f"{_INVALID} ({cause})"),
    ),
    (
        (UnfinishedBodyError,),
        lambda cause, *_: BadAnswerError(f"incomplete response from CLN: {cause}", transient=True),
    ),
    (
        (BodyError,),
        lambda cause, *_: BadAnswerError(f"unexpected response from CLN: {cause}"),
    ),
    (
        (urllib3.exceptions.IncompleteRead, http.client.IncompleteRead),
        lambda *_: BadAnswerError(_INCOMPLETE, transient=True),
    ),
    (
        (ConnectionRefusedError,),
        lambda *_: UnreachableError("connection refused", transient=True),
    ),
    (
        (ConnectionError,),
        lambda _, stage, __: UnreachableError(f"connection closed {stage}", transient=True),
    ),
    (
        (http.client.HTTPException, urllib3.exceptions.InvalidHeader),
        lambda *_: BadAnswerError(f"{_INVALID}; check api_url"),
    ),
    (
        (OSError,),
        lambda cause, stage, _: UnreachableError(
            f"{cause.strerror or type(cause).__name__} {stage}", transient=cause.errno is not None
        ),
    ),
    (
        (urllib3.exceptions.ProtocolError,),
        lambda *_: BadAnswerError(_INCOMPLETE, transient=True),
    ),
)


def _tls_problem(reason: str) -> str:
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "TLS handshake failed: the server does not speak TLS; check api_url"
    return f"TLS error: {reason.lower().replace('_', ' ')}"


def _of_proxy(error: urllib3.exceptions.ProxyError) -> ClnError:
    for cause in _causes(error):
        refused = re.match(r"Tunnel connection failed: (\d.*)", str(cause), re.DOTALL)
        if refused:
            return UnreachableError(
                f"the proxy refused the connection: {clean_text(refused[1])}", transient=refused[1].startswith("5")
            )
        if isinstance(cause, OSError) and cause.strerror:
            return UnreachableError(f"cannot connect to the proxy: {cause.strerror}", transient=True)
    return UnreachableError("cannot connect through the proxy", transient=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes: chained, in ``reason``, or among the arguments."""
    waiting, visited = [error], set[int]()
    while waiting:
        cause = waiting.pop()
        if id(cause) in visited:
            continue
        visited.add(id(cause))
        yield cause
        candidates = [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
        waiting += [candidate for candidate in candidates if isinstance(candidate, BaseException)]
