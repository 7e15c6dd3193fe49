"""Translate the exceptions of the HTTP libraries into ClnErrors, without their URLs."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import urllib3

from cln_monitor.cln.errors import BadAnswerError, ClnError, TimedOutError, UnreachableError
from cln_monitor.http_body import BodyError, UnfinishedBodyError
from cln_monitor.http_response import InvalidResponseError, NotHttpError, is_closed_tls
from cln_monitor.text_cleaning import clean_text

FAILURES = (
    OSError,
    ValueError,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
)
"""All exceptions that a request and the reading of its response may raise."""


class Attempt(NamedTuple):
    """The call that failed: its phase, its deadline in seconds, what was called, and the setting of its URL."""

    stage: str
    seconds: float
    server: str = "CLN"
    url_setting: str = "api_url"


def translate(error: BaseException, attempt: Attempt, *, request_sent: bool = False) -> ClnError:
    """Return the ClnError for ``error``, which ended ``attempt``."""
    translated = _translated(error, attempt)
    translated.request_sent = request_sent
    return translated


def _translated(error: BaseException, attempt: Attempt) -> ClnError:
    causes = list(_causes(error))
    for kinds, make_error in _TRANSLATIONS:
        for cause in causes:
            if isinstance(cause, kinds):
                return make_error(cause, attempt)
    return UnreachableError(f"{type(error).__name__} {attempt.stage}")


def _closed(attempt: Attempt) -> ClnError:
    return UnreachableError(f"connection closed {attempt.stage}", transient=True)


def _of_tls(error: ssl.SSLError, attempt: Attempt) -> ClnError:
    if is_closed_tls(error):
        return _closed(attempt)
    reason = getattr(error, "reason", None) or "no reason given"
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return UnreachableError(f"TLS handshake failed: the server does not speak TLS; check {attempt.url_setting}")
    return UnreachableError(f"TLS error: {reason.lower().replace('_', ' ')}")


_MakeError = Callable[[Any, Attempt], ClnError]

# The first match counts, so specific types come before general ones.
_TRANSLATIONS: tuple[tuple[tuple[type[BaseException], ...], _MakeError], ...] = (
    (
        (TimeoutError, urllib3.exceptions.TimeoutError),
        lambda _, attempt: TimedOutError(f"timed out after {attempt.seconds:.3g} s {attempt.stage}"),
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
        (ssl.SSLError,),
        _of_tls,
    ),
    (
        (urllib3.exceptions.ProxyError,),
        lambda cause, *_: _of_proxy(cause),
    ),
    (
        (NotHttpError,),
        lambda cause, attempt: BadAnswerError(f"{_invalid(attempt)} ({cause}); check {attempt.url_setting}"),
    ),
    (
        (InvalidResponseError,),
        lambda cause, attempt: BadAnswerError(f"{_invalid(attempt)} ({cause})"),
    ),
    (
        (UnfinishedBodyError,),
        lambda cause, attempt: BadAnswerError(f"incomplete response from {attempt.server}: {cause}", transient=True),
    ),
    (
        (BodyError,),
        lambda cause, attempt: BadAnswerError(f"unexpected response from {attempt.server}: {cause}"),
    ),
    (
        (urllib3.exceptions.IncompleteRead, http.client.IncompleteRead),
        lambda _, attempt: _incomplete(attempt),
    ),
    (
        (ConnectionRefusedError,),
        lambda *_: UnreachableError("connection refused", transient=True),
    ),
    (
        (ConnectionError,),
        lambda _, attempt: _closed(attempt),
    ),
    (
        (http.client.HTTPException, urllib3.exceptions.InvalidHeader),
        lambda _, attempt: BadAnswerError(f"{_invalid(attempt)}; check {attempt.url_setting}"),
    ),
    (
        (OSError,),
        lambda cause, attempt: UnreachableError(
            f"{cause.strerror or type(cause).__name__} {attempt.stage}", transient=cause.errno is not None
        ),
    ),
    (
        (urllib3.exceptions.ProtocolError,),
        lambda _, attempt: _incomplete(attempt),
    ),
)


def _invalid(attempt: Attempt) -> str:
    return f"unexpected response from {attempt.server}: not valid HTTP"


def _incomplete(attempt: Attempt) -> ClnError:
    problem = f"incomplete response from {attempt.server}: the connection was closed before the end of the body"
    return BadAnswerError(problem, transient=True)


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
