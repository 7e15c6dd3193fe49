"""Decode the JSON envelope of responses, and describe other responses (API document, "API overview")."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar

import msgspec

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text
from cln_monitor.urls import host_of

from .errors import AuthorizationError, BadAnswerError, ClnError, NotDoneError, RefusedError
from .fields import flag
from .http.answer import HttpAnswer, means_not_processed
from .paging import signs_of_more

T = TypeVar("T")

_ABOUT_AUTHORIZATION = r"(?i)authori[sz]|authentic|\btoken\b|forbidden|access denied"
_READ = frozenset({200})  # with another 2xx, such as 206, the body is partial or not from CLN
_CHANGED = frozenset({200, 201, 202})  # the response to a change is not a list that could be partial
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
_WRONG_CLOCK = 300.0  # seconds; CLN accepts a token for 30 minutes


class _Envelope(msgspec.Struct):
    success: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    message: Any = None
    error: Any = None
    status: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class _Done(msgspec.Struct, Generic[T], forbid_unknown_fields=True):
    """The envelope of most responses, decoded in one step; one with other fields may be a page."""

    success: bool
    data: T
    message: Any = None
    type: Any = None


class _Content(NamedTuple):
    """The data of a response, as JSON, and the message of CLN."""

    data: bytes | msgspec.Raw
    message: str


def json_data(answer: HttpAnswer, kind: type[T]) -> T:
    """Return the ``data`` of a JSON response, decoded as ``kind``; a response without the envelope is all data.

    Raises AuthorizationError or RefusedError when CLN reports a failure, BadAnswerError for an unexpected response.
    """
    try:
        done = _decoder(kind).decode(answer.body)
    except (ValueError, RecursionError):
        pass  # decoded slowly below
    else:
        if done.success and answer.status == 200 and not answer.paging:
            return done.data
    return _decode_slowly(answer, kind)


_decoders: dict[Any, msgspec.json.Decoder[_Done[Any]]] = {}
_lock = threading.Lock()


def _decoder(kind: type[T]) -> msgspec.json.Decoder[_Done[T]]:
    """Return the decoder of responses of that ``kind``."""
    decoder = _decoders.get(kind)
    if decoder is None:
        # msgspec analyzes a type on first use, and crashes the process if two threads do so at the same time.
        with _lock:
            decoder = _decoders[kind] = msgspec.json.Decoder(_Done[kind])  # type: ignore[valid-type] # known at run time
    return decoder


def _decode_slowly(answer: HttpAnswer, kind: type[T]) -> T:
    def read(body: bytes) -> T:
        data = _as_kind(answer, _content(answer, body), kind)
        if isinstance(data, list):
            _raise_if_partial(answer, body, len(data))
        return data

    return _decode_or_repair(answer, read)


def _raise_if_partial(answer: HttpAnswer, body: bytes, rows: int) -> None:
    """Raise BadAnswerError when the response says that its ``rows`` are not the whole list."""
    paging: dict[str, Any] = dict(answer.paging)
    if body.lstrip()[:1] == b"{":
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        paging |= {name: msgspec.json.decode(value) for name, value in fields.items() if name != "data"}
    if signs := list(signs_of_more(paging, rows)):
        raise BadAnswerError(f"unexpected response from CLN: one page of several ({', '.join(signs)}; {rows} rows)")


def changed_data(answer: HttpAnswer, kind: type[T], *, empty_is_nothing: bool = False) -> T:
    """Return the ``data`` of the response to a change as :func:`json_data` does.

    Raises NotDoneError, with the message of CLN, when CLN reports success but changed nothing: data is null or false,
    or, with ``empty_is_nothing``, an empty list; and all errors of :func:`json_data`.
    """

    def read(body: bytes) -> T:
        content = _content(answer, body, good=_CHANGED)
        data = msgspec.json.decode(content.data)
        if data is None or flag(data) is False or (empty_is_nothing and data == []):
            raise NotDoneError(f"CLN reported success but changed nothing: {content.message or 'no reason given'}")
        return _as_kind(answer, content, kind)

    return _decode_or_repair(answer, read)


def _decode_or_repair(answer: HttpAnswer, read: Callable[[bytes], T]) -> T:
    """Return ``read(body)``, with invalid characters replaced: a lone surrogate in a note must not spoil the list."""
    try:
        return read(answer.body)
    except RecursionError:
        raise unexpected_response(answer, "JSON that is nested too deeply") from None
    except ValueError:
        pass  # invalid for the strict decoder
    try:
        return read(repaired(answer.body))
    except (ValueError, RecursionError):
        raise unexpected_response(answer, describe_body(answer.body)) from None


def repaired(body: bytes) -> bytes:
    """Return JSON with its invalid characters replaced. Raises ValueError or RecursionError if it is not JSON."""
    document = json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse_constant)
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def _content(answer: HttpAnswer, body: bytes, good: frozenset[int] = _READ) -> _Content:
    content = _Content(body, "")
    description = "JSON without a success field"
    if body.lstrip()[:1] == b"{":
        envelope = _ENVELOPE.decode(body)
        if envelope.success is not msgspec.UNSET:
            message = clean_text(envelope.message, LONGEST_UNSCRUBBED)
            success = bytes(envelope.success)
            if success not in {b"true", b"false"}:
                raise unexpected_response(answer, "JSON with a success field that is neither true nor false", message)
            raise_unless_success(answer, success == b"true", envelope.message)
            content = _Content(b"null" if envelope.data is msgspec.UNSET else envelope.data, message)
            description = "a body that reports success"
        elif message := _message_of(envelope, answer.status):
            raise _error_with_message(answer, message, description)
        elif message := _message_of(envelope, _own_status(envelope)):
            raise RefusedError(f"CLN refused the request: {message}")
        elif envelope.data is not msgspec.UNSET or envelope.message is not None:
            raise unexpected_response(answer, description)
    if answer.status not in good:
        msgspec.json.decode(content.data)  # raises if it is not JSON, which is then described as such
        raise unexpected_response(answer, description, says_success=content.data is not body)
    return content


def _own_status(envelope: _Envelope) -> int:
    """Return the HTTP status of a client error that an error object repeats; 0 for any other field ``status``."""
    status = envelope.status
    return status if isinstance(status, int) and means_not_processed(status) else 0


def _message_of(envelope: _Envelope, status: int) -> str:
    """Return the message of an error without ``success``, such as an error page of Spring; "" for none."""
    if status < 400:
        return ""
    # "error" has only the name of the status, which is useful if the status means that the request was refused.
    texts = (envelope.message, envelope.error) if means_not_processed(status) else (envelope.message,)
    cleaned = (clean_text(text, LONGEST_UNSCRUBBED) for text in texts if isinstance(text, str))
    return next(filter(None, cleaned), "")


def _error_with_message(answer: HttpAnswer, message: str, description: str) -> ClnError:
    status = answer.status
    if status in {401, 403} or (means_not_processed(status) and _is_about_authorization(message)):
        return token_refused(answer, message)
    if means_not_processed(status):
        return RefusedError(f"CLN refused the request: HTTP {status}: {message}{_api_url_hint(status)}")
    return unexpected_response(answer, description, message)


def _as_kind(answer: HttpAnswer, content: _Content, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content.data, type=kind)
    except msgspec.ValidationError as error:
        description = f"JSON that does not match the API document ({error})"
        raise unexpected_response(answer, description, content.message) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def raise_unless_success(answer: HttpAnswer, success: bool, message: object) -> None:
    """Raise AuthorizationError or RefusedError, with the ``message`` of CLN, unless CLN reports ``success``."""
    if success:
        return
    text = clean_text(message, LONGEST_UNSCRUBBED)
    if answer.status in {401, 403} or _is_about_authorization(text):
        raise token_refused(answer, text or f"HTTP {answer.status}")
    # With a 5xx status the failure may be temporary, such as "Unexpected server error".
    raise RefusedError(f"CLN refused the request: {text or 'no reason given'}", transient=answer.status >= 500)


def _is_about_authorization(text: str) -> bool:
    return re.search(_ABOUT_AUTHORIZATION, text) is not None


def token_refused(answer: HttpAnswer, text: str) -> AuthorizationError:
    """Return the error for a token refused with ``text``; tokens contain the time, so a wrong clock is mentioned."""
    skew = answer.clock_skew or 0.0
    clock = ""
    if abs(skew) > _WRONG_CLOCK:
        clock = f"; the local clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} the clock of CLN"
    return AuthorizationError(f"CLN refused the token: {text}{clock}")


def unexpected_response(
    answer: HttpAnswer, description: str, message: str = "", *, says_success: bool = False
) -> ClnError:
    """Return the error for an ``answer`` that does not follow the API document, with a ``description`` of its body.

    ``message`` is the message of CLN in it. ``says_success``: the body reports success, in spite of the HTTP status.
    """
    status = answer.status
    if status in {401, 403}:
        return AuthorizationError(
            f"HTTP {status} without a reason: the login, secret key or token is wrong, or our IP address is blocked"
        )
    if status in _REDIRECTS:
        target = clean_text(_host(answer.location), LONGEST_UNSCRUBBED) or "another path"
        return BadAnswerError(f"unexpected redirect to {target} (HTTP {status}), not followed; check api_url")
    from_cln = f"; message: {message}" if message else ""
    problem = f"unexpected response from CLN: {description} (HTTP {status}){from_cln}{_api_url_hint(status)}"
    return BadAnswerError(problem, transient=status >= 500, request_sent=says_success)


def _api_url_hint(status: int) -> str:
    return "; check api_url" if status == 404 else ""


def _host(location: str) -> str:
    try:
        return host_of(location)
    except ValueError:
        return ""


def describe_body(body: bytes) -> str:
    """Return a short description of a ``body`` that cannot be read."""
    start = body.lstrip()[:1]
    if not start:
        return "an empty body"
    if start == b"<":
        return "an HTML page"
    if start in b"{[":
        return "truncated or malformed JSON"
    return "undocumented text"
