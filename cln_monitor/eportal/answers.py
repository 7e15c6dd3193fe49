"""Decode the responses of an ePortal, which have no envelope (ePortal API documentation, "Servers")."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

import msgspec

from cln_monitor.cln import AuthorizationError, BadAnswerError, ClnError, HttpAnswer, RefusedError
from cln_monitor.cln.envelope import describe_body, repaired
from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text

T = TypeVar("T")

_UNEXPECTED = "unexpected response from the ePortal"


class _Error(msgspec.Struct):
    error: Any = None
    message: Any = None


_ERROR = msgspec.json.Decoder(_Error)


def decoded(answer: HttpAnswer, decoder: msgspec.json.Decoder[T], credential: str) -> T:
    """Return the body of ``answer``; ``credential`` names the secret that was sent, which the ePortal may refuse.

    Raises AuthorizationError, RefusedError, and BadAnswerError for a response that does not match the documentation.
    """
    if answer.status != 200:
        _raise_for_status(answer, credential)
    try:
        return _decode(answer.body, decoder)
    except msgspec.ValidationError as error:
        problem = f"JSON that does not match the ePortal API documentation ({error})"
    except RecursionError:
        problem = "JSON that is nested too deeply"
    except ValueError:
        problem = describe_body(answer.body)
    raise BadAnswerError(f"{_UNEXPECTED}: {problem} (HTTP 200)")


def _decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        raise
    except ValueError:
        return decoder.decode(repaired(body))  # a lone surrogate in a host name must not spoil the list


def _raise_for_status(answer: HttpAnswer, credential: str) -> NoReturn:
    status, reason = answer.status, _reason(answer.body)
    said = f": {reason}" if reason else ""
    if status == 401:
        raise AuthorizationError(
            f"the ePortal does not accept the {credential}: it is wrong or has expired (HTTP 401){said}"
        )
    if status == 403:
        raise AuthorizationError(f"the user of the {credential} may not read this at the ePortal (HTTP 403){said}")
    if 300 <= status < 400:
        raise BadAnswerError(f"unexpected redirect (HTTP {status}), not followed; check its url")
    raise _problem_of(answer, said)


def _problem_of(answer: HttpAnswer, said: str) -> ClnError:
    status = answer.status
    if said and 400 <= status < 500:
        return RefusedError(f"the ePortal refused the request: HTTP {status}{said}")
    hint = "; check its url" if status == 404 else ""
    description = describe_body(answer.body)
    return BadAnswerError(f"{_UNEXPECTED}: {description} (HTTP {status}){said}{hint}", transient=status >= 500)


def _reason(body: bytes) -> str:
    """Return the reason that an error in JSON gives, such as ``{"error": "invalid-key"}``; "" for none."""
    try:
        error = _ERROR.decode(body)
    except (ValueError, RecursionError):
        return ""
    texts = (text for text in (error.error, error.message) if isinstance(text, str))
    return next(filter(None, (clean_text(text, LONGEST_UNSCRUBBED) for text in texts)), "")
