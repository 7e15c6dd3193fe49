"""The status of CLN's own services (API document, "Common API Methods")."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from cln_monitor.text_cleaning import LONGEST_UNSCRUBBED, clean_text

from .caller import Caller
from .endpoints import STATUS_JSON, STATUS_PLAIN
from .envelope import json_data, not_an_answer
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
"""The flags of the API document; of others, what is no flag is left out."""
BAD_WHEN_TRUE = frozenset({"rhn_overloaded", "rhn_queue_full"})
"""The flags whose good state is false; the good state of all others is true."""


class ServiceStatus(msgspec.Struct, frozen=True):
    """The ``flags`` of CLN's services as CLN reports them; which there are varies by year.

    ``plain``: they come from ``/status.plain``, as ``/status.json`` gave no good answer.
    """

    flags: dict[str, bool]
    plain: bool = False

    def is_good(self, name: str) -> bool:
        """Tell whether the flag ``name`` is in its good state."""
        return self.flags[name] != (name in BAD_WHEN_TRUE)


class _UnreadableFlagError(BadAnswerError):
    """A status one of whose documented flags is neither true nor false."""


class StatusReads:
    """The calls below ``/``; they need no credentials."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def flags(self) -> ServiceStatus:
        """Return the flags of ``/status.json``, or of ``/status.plain`` when CLN gives the former no good answer.

        Raises ClnError; when both fail, the one of ``/status.json``, with what the other said.
        """
        try:
            return self._caller.read(STATUS_JSON, lambda answer: _status(answer, json_data(answer, dict[str, Any])))
        except _UnreadableFlagError:
            raise  # it was read, and what it says of this flag the other would only hide
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
        told = clean_text(json.dumps(items[name]), LONGEST_UNSCRUBBED)
        raise _UnreadableFlagError(
            str(not_an_answer(answer, f"a status whose {name} is {told}, neither true nor false"))
        )
    if not flags:
        raise not_an_answer(answer, "a status without a single flag")
    return ServiceStatus(dict(sorted(flags.items())), plain)
