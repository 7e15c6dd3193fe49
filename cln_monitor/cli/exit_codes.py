"""The exit codes of ``clntool``."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cln_monitor.cln import ClnError


class ExitCode(IntEnum):
    """The exit code: done, refused by CLN or not done, usage error, or CLN could not be queried."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_QUERIED = 3


def code_of(error: ClnError) -> ExitCode:
    """Return the exit code for an ``error`` of the client."""
    from cln_monitor.cln import AuthorizationError, RefusedError  # noqa: PLC0415 # loaded by then, and slow before

    return ExitCode.REFUSED if isinstance(error, RefusedError | AuthorizationError) else ExitCode.NOT_QUERIED
