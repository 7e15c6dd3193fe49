"""Register monitoring keys (API document, "KernelCare Nagios API"): the only change that a plugin requests."""

from __future__ import annotations

from . import validation
from .caller import Caller, Credentials
from .endpoints import REGISTER_MONITORING_KEY
from .envelope import unexpected_response
from .errors import BadAnswerError, RefusedError
from .http.answer import HttpAnswer
from .http.deadline import Deadline
from .http.transport import Transport
from .plain_text import plain_items, says_success

_REFUSALS = {
    "1": "wrong size or format of the key (code 1)",
    "2": "the IP address of this machine has no KernelCare IP license (code 2)",
}


class MonitoringKeys:
    """Registers monitoring keys for the IP address that this machine connects from; it sends no credentials.

    ``credentials`` are only registered as secrets, to keep them out of texts.
    """

    def __init__(self, transport: Transport, deadline: Deadline, credentials: Credentials | None = None) -> None:
        self._caller = Caller(transport, credentials, deadline)

    def register(self, key: str) -> None:
        """Register ``key``, which may already be registered (``/kcare/nagios/register_key.plain``). It is sent once.

        Raises InvalidArgumentError for a malformed key, before anything is sent; RefusedError when CLN does not
        register it; other ClnErrors when the outcome is unknown, and the key may have been registered.
        """
        key = validation.monitoring_key(key)
        self._caller.write(
            REGISTER_MONITORING_KEY,
            _registered,
            query=lambda: {"key": key},
            key=key,
            # CLN cannot list monitoring keys, and registering one again is harmless.
            if_lost="the key may be registered; run this again",
        )


def _registered(answer: HttpAnswer) -> None:
    if answer.status in {401, 403} and not says_success(answer):
        # The call has no login that could be wrong: a proxy responds, or CLN blocks the address.
        problem = f"HTTP {answer.status} without a message from CLN: our IP address is blocked, or a proxy refuses it"
        raise BadAnswerError(problem, request_sent=True)
    code = plain_items(answer).get("code", "")
    if code == "0":
        return
    if not code.isdecimal():
        raise unexpected_response(answer, "a success without a code")
    raise RefusedError(f"CLN did not register the key: {_REFUSALS.get(code, f'code {code}')}")
