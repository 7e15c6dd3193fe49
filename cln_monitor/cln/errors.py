"""What can go wrong between us and CLN: small types, told apart by what the reader has to do about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cln_monitor.text_cleaning import shorten

_LONGEST = 400  # characters of a problem: an error is read on one line


class ClnError(Exception):
    """A call of the CLN API that gave no usable answer.

    ``reason`` is one stable word for the kind of failure. ``problem`` says what happened, ``attempted`` what was
    being done; both are free of secrets once the client has raised the error.
    """

    reason: ClassVar[str]

    def __init__(self, problem: str, *, transient: bool = False, request_sent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.attempted = ""
        self.transient = transient
        """True when the same read may well succeed a moment later."""
        self.request_sent = request_sent
        """True when this went wrong after the request of a change, or some of it, had left."""
        self.connection_was_stale = False
        """True when the request went over a connection used before, and no answer to it began."""
        self.outcome_unknown = False
        """True when a change may have been made all the same, as CLN's word on it was lost."""

    def __str__(self) -> str:
        return f"{self.attempted}: {self.problem}" if self.attempted else self.problem

    def add_context(self, attempted: str, scrub: Callable[[str], str]) -> None:
        """Name what was attempted, and clean the text that came from outside with ``scrub``."""
        self.attempted = attempted
        self.problem = shorten(scrub(self.problem), _LONGEST)
        self.args = (self.problem,)
        self.__context__ = None  # the errors of the libraries quote URLs and bodies, and with them secrets

    def add(self, words: str) -> None:
        """Say one thing more, in ``words`` that are free of secrets."""
        self.problem += f"; {words}"
        self.args = (self.problem,)

    def mark_uncertain(self, words: str) -> None:
        """Say in ``words`` that the change may have been made all the same."""
        self.outcome_unknown = True
        self.add(words)


class UnreachableError(ClnError):
    """No HTTP answer: the name does not resolve, the connection is refused or reset, TLS fails."""

    reason = "unreachable"


class TimedOutError(ClnError):
    """The answer was not complete when the call's deadline came.

    ``of_run``: it was the deadline of a run of several calls that came first.
    """

    reason = "timeout"

    def __init__(self, problem: str, *, of_run: bool = False) -> None:
        super().__init__(problem)
        self.of_run = of_run


class RateLimitedError(ClnError):
    """CLN asked us to slow down (HTTP 429, or 503 with ``Retry-After``).

    ``retry_after`` is the wait CLN asked for, in seconds, or None.
    """

    reason = "rate_limited"

    def __init__(
        self,
        problem: str,
        *,
        retry_after: float | None = None,
        transient: bool = True,
        request_sent: bool = False,
    ) -> None:
        super().__init__(problem, transient=transient, request_sent=request_sent)
        self.retry_after = retry_after


class AuthorizationError(ClnError):
    """CLN does not accept the login, the token or the registration token."""

    reason = "auth"


class RefusedError(ClnError):
    """CLN understood the call and said no (``success:false``, or an unknown key or login)."""

    reason = "refused"


class NotDoneError(RefusedError):
    """CLN took the call for a success and did nothing: there is nothing of that name, or it is somebody else's."""


class BadAnswerError(ClnError):
    """What came back is not an answer of CLN: an HTML page, an empty or cut body, a field of another type."""

    reason = "bad_answer"


REASONS: tuple[str, ...] = tuple(
    kind.reason
    for kind in (UnreachableError, TimedOutError, RateLimitedError, AuthorizationError, RefusedError, BadAnswerError)
)
"""Every reason there is, for a reader that wants all of them at zero from the start."""
