"""The exit codes of ``clntool``."""

from __future__ import annotations

from enum import IntEnum

from cln_monitor.cln import AuthorizationError, ClnError, RefusedError


class ExitCode(IntEnum):
    """The exit code: done, refused by CLN or not done, usage error, or CLN could not be queried."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_QUERIED = 3


def code_of(error: ClnError) -> ExitCode:
    """Return the exit code for an ``error`` of the client."""
    return ExitCode.REFUSED if isinstance(error, RefusedError | AuthorizationError) else ExitCode.NOT_QUERIED
