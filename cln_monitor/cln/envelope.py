"""The JSON envelope of answers, and the words for what is none (API document, "API overview")."""

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
from .http.answer import HttpAnswer
from .http.error_mapping import says_nothing_was_done
from .paging import signs_of_more

T = TypeVar("T")

_ABOUT_AUTHORIZATION = r"(?i)authori[sz]|authentic|\btoken\b|forbidden|access denied"
_READ = frozenset({200})  # with any other 2xx, such as 206, a body is a part, or none of CLN's
_CHANGED = frozenset({200, 201, 202})  # what was created or taken is no list that could lack something
_REDIRECTS = frozenset({300, 301, 302, 303, 305, 307, 308})
_WRONG_CLOCK = 300.0  # seconds; CLN takes tokens for 30 minutes


class _Envelope(msgspec.Struct):
    success: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    message: Any = None
    error: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class _Done(msgspec.Struct, Generic[T], forbid_unknown_fields=True):
    """What most answers are, read at one go; what has other fields is looked at closely, as they may tell of paging."""

    success: bool
    data: T
    message: Any = None
    type: Any = None


class _Content(NamedTuple):
    """What an answer holds, as JSON, and what CLN said beside it."""

    data: bytes | msgspec.Raw
    message: str


def json_data(answer: HttpAnswer, kind: type[T]) -> T:
    """Return the ``data`` of a JSON answer as a ``kind``; an answer without the envelope is its own data.

    Raises AuthorizationError or RefusedError when CLN says no, BadAnswerError when this is not an answer of CLN.
    """
    try:
        done = _decoder(kind).decode(answer.body)
    except (ValueError, RecursionError):
        pass  # looked at closely below
    else:
        if done.success and answer.status == 200 and not answer.paging:
            return done.data
    return _looked_at_closely(answer, kind)


_decoders: dict[Any, msgspec.json.Decoder[_Done[Any]]] = {}
_lock = threading.Lock()


def _decoder(kind: type[T]) -> msgspec.json.Decoder[_Done[T]]:
    """Return what decodes an answer of that ``kind``."""
    decoder = _decoders.get(kind)
    if decoder is None:
        # msgspec learns a type when it is first used, and crashes the process where two threads do that at a time.
        with _lock:
            decoder = _decoders[kind] = msgspec.json.Decoder(_Done[kind])  # type: ignore[valid-type] # known when it runs
    return decoder


def _looked_at_closely(answer: HttpAnswer, kind: type[T]) -> T:
    def read(body: bytes) -> T:
        data = _as_kind(answer, _content(answer, body), kind)
        if isinstance(data, list):
            _raise_for_a_part(answer, body, len(data))
        return data

    return _mended_if_need_be(answer, read)


def _raise_for_a_part(answer: HttpAnswer, body: bytes, rows: int) -> None:
    """Raise BadAnswerError when the answer says that its ``rows`` are not all there are."""
    said: dict[str, Any] = dict(answer.paging)
    if body.lstrip()[:1] == b"{":
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        said |= {name: msgspec.json.decode(value) for name, value in fields.items() if name != "data"}
    if signs := list(signs_of_more(said, rows)):
        raise BadAnswerError(f"unexpected response from CLN: one page of several ({', '.join(signs)}; {rows} rows)")


def changed_data(answer: HttpAnswer, kind: type[T], *, empty_is_nothing: bool = False) -> T:
    """Return the ``data`` of the answer to a change as :func:`json_data` does.

    Raises NotDoneError, with the message of CLN, when it says success and did nothing: for data that is null or false,
    and with ``empty_is_nothing`` for an empty list; and all that :func:`json_data` raises.
    """

    def read(body: bytes) -> T:
        content = _content(answer, body, good=_CHANGED)
        data = msgspec.json.decode(content.data)
        if data is None or flag(data) is False or (empty_is_nothing and data == []):
            raise NotDoneError(f"CLN did nothing: {content.message or 'it gave no reason'}")
        return _as_kind(answer, content, kind)

    return _mended_if_need_be(answer, read)


def _mended_if_need_be(answer: HttpAnswer, read: Callable[[bytes], T]) -> T:
    """Return what ``read`` makes of the body; one lone surrogate in a note must not cost the whole list."""
    try:
        return read(answer.body)
    except RecursionError:
        raise not_an_answer(answer, "JSON that is nested too deep") from None
    except ValueError:
        pass  # the strict decoder refuses it
    try:
        document = json.loads(answer.body.decode("utf-8", "replace"), parse_constant=_refuse_constant)
        return read(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise not_an_answer(answer, describe_body(answer.body)) from None


def _content(answer: HttpAnswer, body: bytes, good: frozenset[int] = _READ) -> _Content:
    content = _Content(body, "")
    instead = "JSON that does not say whether the call succeeded"
    if body.lstrip()[:1] == b"{":
        envelope = _ENVELOPE.decode(body)
        if envelope.success is not msgspec.UNSET:
            message = clean_text(envelope.message, LONGEST_UNSCRUBBED)
            success = bytes(envelope.success)
            if success not in {b"true", b"false"}:
                raise not_an_answer(answer, f"JSON whose success is neither true nor false{_said(message)}")
            raise_unless_success(answer, success == b"true", envelope.message)
            content = _Content(b"null" if envelope.data is msgspec.UNSET else envelope.data, message)
            instead = "a body that says success"
        elif words := _words_of(envelope, answer.status):
            raise _error_with_words(answer, words, instead)
        elif envelope.data is not msgspec.UNSET or envelope.message is not None:
            raise not_an_answer(answer, instead)
    if answer.status not in good:
        msgspec.json.decode(content.data)  # raises for what is not JSON at all, which then is called what it is
        raise not_an_answer(answer, instead, says_success=content.data is not body)
    return content


def _words_of(envelope: _Envelope, status: int) -> str:
    """Return what an error without ``success`` says for itself, as the error page of Spring does; "" for nothing."""
    if status < 400:
        return ""
    # In "error" is but the name of the status, which tells something where it says that CLN refused the call.
    given = (envelope.message, envelope.error) if says_nothing_was_done(status) else (envelope.message,)
    texts = (clean_text(text, LONGEST_UNSCRUBBED) for text in given if isinstance(text, str))
    return next(filter(None, texts), "")


def _error_with_words(answer: HttpAnswer, words: str, what: str) -> ClnError:
    status = answer.status
    if status in {401, 403} or (says_nothing_was_done(status) and _is_about_authorization(words)):
        return token_refused(answer, words)
    if says_nothing_was_done(status):
        return RefusedError(f"CLN refused the call: HTTP {status}: {words}{_api_url_hint(status)}")
    return not_an_answer(answer, f"{what}{_said(words)}")


def _as_kind(answer: HttpAnswer, content: _Content, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content.data, type=kind)
    except msgspec.ValidationError as error:
        said = _said(content.message)
        raise not_an_answer(answer, f"JSON of another shape than documented: {error}{said}") from None


def _said(message: str) -> str:
    return f"; CLN says: {message}" if message else ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def raise_unless_success(answer: HttpAnswer, success: bool, message: object) -> None:
    """Raise AuthorizationError or RefusedError, with the ``message`` of CLN, when it said that the call failed."""
    if success:
        return
    text = clean_text(message, LONGEST_UNSCRUBBED)
    if answer.status in {401, 403} or _is_about_authorization(text):
        raise token_refused(answer, text or f"HTTP {answer.status}")
    # With a status of 5xx it may be the trouble of a moment, such as "Unexpected server error".
    raise RefusedError(f"CLN refused the call: {text or 'it gave no reason'}", transient=answer.status >= 500)


def _is_about_authorization(text: str) -> bool:
    return re.search(_ABOUT_AUTHORIZATION, text) is not None


def token_refused(answer: HttpAnswer, text: str) -> AuthorizationError:
    """Return the error for a token refused with ``text``; tokens carry the time, so a clock that is wrong is named."""
    skew = answer.clock_skew or 0.0
    clock = ""
    if abs(skew) > _WRONG_CLOCK:
        clock = f"; our clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} that of CLN"
    return AuthorizationError(f"CLN refused the token: {text}{clock}")


def not_an_answer(answer: HttpAnswer, what: str, *, says_success: bool = False) -> ClnError:
    """Return the error for an ``answer`` that is ``what`` instead of what the API document promises.

    ``says_success``: its body says that the call succeeded, whatever the HTTP status says.
    """
    status = answer.status
    if status in {401, 403}:
        return AuthorizationError(
            f"CLN answers HTTP {status} and no reason: login, secret key or token are wrong, or our address is barred"
        )
    if status in _REDIRECTS:
        where = clean_text(_host(answer.location), LONGEST_UNSCRUBBED) or "another path"
        return BadAnswerError(f"it redirects to {where}, which is never followed with a token; is api_url right?")
    at = "" if status == 200 else f"HTTP {status} with "
    hint = _api_url_hint(status)
    problem = f"not an answer of CLN but {at}{what}{hint}"
    return BadAnswerError(problem, transient=status >= 500, request_sent=says_success)


def _api_url_hint(status: int) -> str:
    return "; is api_url right?" if status == 404 else ""


def _host(location: str) -> str:
    try:
        return host_of(location)
    except ValueError:
        return ""


def describe_body(body: bytes) -> str:
    """Say in a few words what a ``body`` is that cannot be read."""
    start = body.lstrip()[:1]
    if not start:
        return "an empty body"
    if start == b"<":
        return "an HTML page"
    if start in b"{[":
        return "JSON that is cut or broken"
    return "text that nobody has documented"
