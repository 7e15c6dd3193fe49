"""Registration of monitoring keys (API document, "KernelCare Nagios API"): the one change that monitoring asks for."""

from __future__ import annotations

from . import validation
from .caller import Caller, Credentials
from .endpoints import REGISTER_MONITORING_KEY
from .envelope import not_an_answer
from .errors import BadAnswerError, RefusedError
from .http.answer import HttpAnswer
from .http.deadline import Deadline
from .http.transport import Transport
from .plain_text import plain_items, says_success

_REFUSALS = {
    "1": "it finds the size or the format of the key wrong (code 1)",
    "2": "the address that this machine calls from holds no KernelCare IP licence (code 2)",
}


class MonitoringKeys:
    """Registers monitoring keys for the address that this machine calls CLN from; it sends no credentials.

    Those that are given are kept out of texts.
    """

    def __init__(self, transport: Transport, deadline: Deadline, credentials: Credentials | None = None) -> None:
        self._caller = Caller(transport, credentials, deadline)

    def register(self, key: str) -> None:
        """Register ``key``, or keep it registered (``/kcare/nagios/register_key.plain``). It is sent once.

        Raises InvalidArgumentError for a malformed key, before anything is sent; Refused when CLN does not register it;
        other ClnErrors when that is not known, in which case it may have been registered.
        """
        key = validation.monitoring_key(key)
        self._caller.write(
            REGISTER_MONITORING_KEY,
            _registered,
            query=lambda: {"key": key},
            key=key,
            # CLN lists no monitoring keys to look among, and to register one again does no harm.
            if_lost="it may be registered all the same, so run this again",
        )


def _registered(answer: HttpAnswer) -> None:
    if answer.status in {401, 403} and not says_success(answer):
        # The call takes no login, so this is no word on it: a proxy on the way says so, or CLN bars the address.
        problem = f"HTTP {answer.status} without a word of CLN: this address is barred, or a proxy says so"
        raise BadAnswerError(problem, request_sent=True)
    code = plain_items(answer).get("code", "")
    if code == "0":
        return
    if not code.isdecimal():
        raise not_an_answer(answer, "a success without a code")
    raise RefusedError(f"CLN did not register it: {_REFUSALS.get(code, f'it gives code {code}')}")
