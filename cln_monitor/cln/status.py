"""The status flags of CLN's services (API document, "Common API Methods")."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text

from .caller import Caller
from .endpoints import STATUS_JSON, STATUS_PLAIN
from .envelope import json_data, unexpected_response
from .errors import AuthorizationError, BadAnswerError, RefusedError
from .fields import flag
from .http.answer import HttpAnswer
from .plain_text import plain_items

DOCUMENTED = frozenset(
    {
        "db_clweb_connected",
        "db_clweb_online",
        "db_rhn_connected",
        "db_rhn_online",
        "ip_server_reg",
        "rhn_overloaded",
        "rhn_queue_full",
        "xmlrpc",
    }
)
"""The flags in the API document; any other item that is not a boolean is ignored."""
BAD_WHEN_TRUE = frozenset({"rhn_overloaded", "rhn_queue_full"})
"""The flags whose good state is false; the good state of all others is true."""


class ServiceStatus(msgspec.Struct, frozen=True):
    """The ``flags`` of CLN's services as reported by CLN, whose set changes over the years.

    ``plain``: they come from ``/status.plain``, as ``/status.json`` failed.
    """

    flags: dict[str, bool]
    plain: bool = False

    def is_good(self, name: str) -> bool:
        """Return whether the flag ``name`` is in its good state."""
        return self.flags[name] != (name in BAD_WHEN_TRUE)


class _UnreadableFlagError(BadAnswerError):
    """A documented flag is neither true nor false."""


class StatusReads:
    """The status calls, which need no credentials."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def flags(self) -> ServiceStatus:
        """Return the flags of ``/status.json``, or of ``/status.plain`` if the former fails.

        Raises ClnError; if both fail, that of ``/status.json``, with the problem of the other one appended.
        """
        try:
            return self._caller.read(STATUS_JSON, lambda answer: _status(answer, json_data(answer, dict[str, Any])))
        except _UnreadableFlagError:
            raise  # it was read, and the other response might hide the state of this flag
        except (BadAnswerError, RefusedError, AuthorizationError) as error:
            try:
                return self._caller.read(STATUS_PLAIN, lambda answer: _status(answer, plain_items(answer), plain=True))
            except (BadAnswerError, RefusedError, AuthorizationError) as other:
                if other.problem != error.problem:
                    error.add(f"and {STATUS_PLAIN.template}: {other.problem}")
                raise error from None


def _status(answer: HttpAnswer, items: dict[str, Any], *, plain: bool = False) -> ServiceStatus:
    flags = {clean_text(name): value for name, item in items.items() if (value := flag(item)) is not None}
    for name in sorted(DOCUMENTED & items.keys() - flags.keys()):
        item = clean_text(json.dumps(items[name]), LONGEST_UNSCRUBBED)
        raise _UnreadableFlagError(
            str(unexpected_response(answer, f"a status whose {name} is {item}, neither true nor false"))
        )
    if not flags:
        raise unexpected_response(answer, "a status without flags")
    return ServiceStatus(dict(sorted(flags.items())), plain)
