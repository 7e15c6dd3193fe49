"""What the responses of the Icinga 2 API mean: a submitted result, a list of services, the own user."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import msgspec

from .receiver import AnswerError

T = TypeVar("T")

ACTION = "actions/process-check-result"
"""The action that submits a result; also its permission."""

_RETRY_LATER = {408, 429}


class Submitted(NamedTuple):
    """What became of a submitted result: ``code`` is 200, or that of the ``reason`` why it was refused."""

    code: int
    reason: str = ""


class _Answer(msgspec.Struct):
    """What Icinga says about one object, or about the whole request."""

    status: str = ""
    code: float = 0.0
    error: float = 0.0


class _Answers(_Answer):
    results: list[_Answer] | None = None


class _Attributes(msgspec.Struct):
    enable_passive_checks: bool = True


class Service(msgspec.Struct):
    """A service that Icinga has; ``name`` is ``host!service``."""

    name: str
    attrs: _Attributes


class _Services(msgspec.Struct):
    results: list[Service]


class User(msgspec.Struct):
    """The API user of the requests. A permission with a filter ends with `` (filtered)``."""

    user: str
    permissions: list[str]


class _Users(msgspec.Struct):
    results: list[User]


_answers = msgspec.json.Decoder(_Answers).decode
_services = msgspec.json.Decoder(_Services).decode
_users = msgspec.json.Decoder(_Users).decode


def submitted(status: int, body: bytes) -> Submitted:
    """Return the meaning of a response to process-check-result with an HTTP ``status``. Raises AnswerError."""
    if status in {401, 403} and not body.lstrip().startswith(b"{"):  # of a proxy
        return Submitted(status, f"refused (HTTP {status})")
    answers = _answered(status, body)
    if status != 200 and (not 400 <= status < 500 or status in _RETRY_LATER):
        raise AnswerError(f"{_text(answers)} (HTTP {status})")
    for answer in answers.results or ():
        if (code := int(answer.code or answer.error)) != 200:
            return Submitted(code, f"{_text(answer)} (code {code})")
    if status == 200 and answers.results:
        return Submitted(200)
    code = int(answers.error) or (404 if status == 200 else status)
    advice = f": create the service, or permit {ACTION} for it" if code == 404 else ""
    return Submitted(code, f"{_text(answers)} (HTTP {status}){advice}")


def services(status: int, body: bytes) -> list[Service]:
    """Return the services of a query; Icinga answers an empty result with 404. Raises AnswerError."""
    if status == 404 and int(_answered(status, body).error) == 404:
        return []
    _raise_unless_ok(status, body)
    return _decoded(_services, status, body).results


def user(status: int, body: bytes) -> User:
    """Return the user of the request. Raises AnswerError."""
    _raise_unless_ok(status, body)
    found = _decoded(_users, status, body).results
    if not found:
        raise AnswerError("the response names no API user")
    return found[0]


def _raise_unless_ok(status: int, body: bytes) -> None:
    if status != 200:
        raise AnswerError(submitted(status, body).reason)


def _text(answer: _Answer) -> str:
    return answer.status.strip() or "refused without a reason"


def _answered(status: int, body: bytes) -> _Answers:
    """Return the answer of Icinga, which has results or an error."""
    answers = _decoded(_answers, status, body)
    if answers.results is None and not answers.error:
        raise AnswerError(_foreign(status))
    return answers


def _decoded(decode: Callable[[bytes], T], status: int, body: bytes) -> T:
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise AnswerError(_foreign(status)) from None


def _foreign(status: int) -> str:
    return f"unexpected response, not of Icinga's API (HTTP {status}): check the url"
