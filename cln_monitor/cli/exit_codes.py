"""The exit codes of ``clntool``."""

from __future__ import annotations

from enum import IntEnum

from cln_monitor.cln import AuthorizationError, ClnError, RefusedError


class Code(IntEnum):
    """How ``clntool`` ends: done, refused by CLN or not done, wrongly used, or CLN could not be asked."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    NOT_ASKED = 3


def code_of(error: ClnError) -> Code:
    """Return the code for an ``error`` of the client."""
    return Code.REFUSED if isinstance(error, RefusedError | AuthorizationError) else Code.NOT_ASKED
