"""The errors of CLN calls, one type for each kind of remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cln_monitor.text_cleaning import shorten

_LONGEST = 400  # characters of a problem, which is shown on one line


class ClnError(Exception):
    """A call of the CLN API failed or had an unusable response.

    ``reason`` is a stable word for the kind of failure. ``problem`` says what went wrong, ``attempted`` what was
    attempted; both are free of secrets once the client raises the error.
    """

    reason: ClassVar[str]

    def __init__(self, problem: str, *, transient: bool = False, request_sent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.attempted = ""
        self.transient = transient
        """True if the same read may succeed a moment later."""
        self.request_sent = request_sent
        """True if a request, or a part of it, was sent before the failure."""
        self.connection_was_stale = False
        """True if the request was sent over a reused connection and no response began."""
        self.outcome_unknown = False
        """True if a change may have been made, as the response was lost."""

    def __str__(self) -> str:
        return f"{self.attempted}: {self.problem}" if self.attempted else self.problem

    def add_context(self, attempted: str, scrub: Callable[[str], str]) -> None:
        """Set what was ``attempted``, and remove secrets from the problem with ``scrub``."""
        self.attempted = attempted
        self.problem = shorten(scrub(self.problem), _LONGEST)
        self.args = (self.problem,)
        self.__context__ = None  # errors of the libraries quote URLs and bodies, which contain secrets

    def add(self, detail: str) -> None:
        """Append a ``detail``, a text without secrets, to the problem."""
        self.problem += f"; {detail}"
        self.args = (self.problem,)

    def mark_uncertain(self, detail: str) -> None:
        """Record that the change may have been made, and append a ``detail`` that says so."""
        self.outcome_unknown = True
        self.add(detail)


class UnreachableError(ClnError):
    """There is no HTTP response: the host name does not resolve, the connection is refused or reset, TLS fails."""

    reason = "unreachable"


class TimedOutError(ClnError):
    """The response was not complete before the deadline of the call.

    ``of_run``: the deadline of a run of several calls came first.
    """

    reason = "timeout"

    def __init__(self, problem: str, *, of_run: bool = False) -> None:
        super().__init__(problem)
        self.of_run = of_run


class RateLimitedError(ClnError):
    """CLN rate-limits the requests (HTTP 429, or 503 with ``Retry-After``).

    ``retry_after`` is the requested wait in seconds, or None.
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
    """CLN understood the request and refused it (``success:false``, or an unknown key or login)."""

    reason = "refused"


class NotDoneError(RefusedError):
    """CLN reported success but changed nothing: the object does not exist, or belongs to another account."""


class BadAnswerError(ClnError):
    """The response is not one of CLN: an HTML page, an empty or truncated body, a field of the wrong type."""

    reason = "bad_answer"


REASONS: tuple[str, ...] = tuple(
    kind.reason
    for kind in (UnreachableError, TimedOutError, RateLimitedError, AuthorizationError, RefusedError, BadAnswerError)
)
"""All reasons, for metrics that start at zero for each of them."""
