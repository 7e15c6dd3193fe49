"""The errors of the client: six types, each with a reason for metrics and a text for people."""

from __future__ import annotations

import pytest

from cln_monitor import cln
from cln_monitor.cln import (
    REASONS,
    BadAnswerError,
    ClnError,
    NotDoneError,
    RateLimitedError,
    RefusedError,
    ServersNotFoundError,
)


def test_reasons_are_those_of_the_contract() -> None:
    """The reasons are the documented label values."""
    assert set(REASONS) == {"unreachable", "timeout", "rate_limited", "auth", "refused", "bad_answer"}


def test_each_exported_error_has_one_of_the_reasons() -> None:
    """Each exported error type has one of the reasons."""
    kinds = [
        kind for name in cln.__all__ if isinstance(kind := getattr(cln, name), type) and issubclass(kind, ClnError)
    ]
    assert len(kinds) == 10
    assert {kind.reason for kind in kinds if kind is not ClnError} == set(REASONS)
    assert ServersNotFoundError.reason == NotDoneError.reason == "refused"


def test_text_names_what_was_attempted() -> None:
    """Text, repr and arguments have what was attempted and the problem, without secrets."""
    error = BadAnswerError("the planted thing")
    error.add_context("reading /status.json", lambda text: text.replace("planted", "<secret>"))
    assert str(error) == "reading /status.json: the <secret> thing"
    assert repr(error) == "BadAnswerError('the <secret> thing')"
    assert (error.attempted, error.problem) == ("reading /status.json", "the <secret> thing")


def test_what_led_to_it_is_dropped() -> None:
    """An error of the client has no causes, as those of the HTTP libraries quote URLs."""
    try:
        try:
            raise ValueError("https://cln.cloudlinux.com/api?token=planted")  # noqa: TRY301 # there is no shorter way
        except ValueError:
            raise BadAnswerError("bad") from None
    except BadAnswerError as error:
        error.add_context("reading", str)
        caught = error
    assert caught.__context__ is None
    assert caught.__cause__ is None


def test_problem_is_cut_after_it_was_scrubbed() -> None:
    """A long problem is truncated only after its secrets were replaced."""
    error = BadAnswerError("x" * 395 + "secret")
    error.add_context("reading", lambda text: text.replace("secret", "<hidden>"))
    assert error.problem == "x" * 395 + "<hid…"


@pytest.mark.parametrize("transient", [True, False])
def test_transient(transient: bool) -> None:
    """An error records whether the same read may succeed a moment later."""
    assert BadAnswerError("bad", transient=transient).transient is transient
    assert not BadAnswerError("bad").transient
    assert RateLimitedError("slow down").transient
    assert RateLimitedError("slow down").retry_after is None


def test_left_open() -> None:
    """An error can have an unknown outcome, and then says so."""
    error = BadAnswerError("bad", request_sent=True)
    error.add_context("sending", str)
    error.mark_uncertain("look first")
    assert (error.request_sent, error.outcome_unknown) == (True, True)
    assert str(error) == "sending: bad; look first"
    assert error.args == ("bad; look first",)


def test_by_itself_nothing_is_open() -> None:
    """An error has a known outcome by default."""
    error = RefusedError("no")
    assert (error.request_sent, error.outcome_unknown) == (False, False)
