"""Responses as the decoders receive them, and the errors of bad ones."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

import pytest

from cln_monitor.cln import ClnError
from cln_monitor.cln.http.answer import HttpAnswer
from cln_monitor.cln.plain_text import plain_items


def answer(body: bytes | str, status: int = 200, location: str = "") -> HttpAnswer:
    """Return an answer of CLN."""
    return HttpAnswer(status, body if isinstance(body, bytes) else body.encode(), location)


def plain_problem(body: bytes | str, status: int = 200, location: str = "") -> str:
    """Return the type and the text of the error that a plain-text response raises."""
    with pytest.raises(ClnError) as raised:
        plain_items(answer(body, status, location))
    return f"{type(raised.value).__name__}: {raised.value}"


def texts_of(error: BaseException | None) -> Iterator[str]:
    """Yield all texts of an error and of the errors that caused it, shown or not."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield from traceback.format_exception(error)
        if error.__cause__ is not None:
            yield from texts_of(error.__cause__)
        error = error.__context__
