"""Send requests to the CLN API, and also those that change something, which are never retried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from cln_monitor.cln.endpoints import READS, WRITES, Endpoint
from cln_monitor.cln.errors import BadAnswerError, ClnError, RefusedError
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline
from cln_monitor.cln.redactor import Redactor

from .answer import Exchange, HttpAnswer, Reply, means_not_processed
from .rate_limiter import RateLimiter
from .read_transport import ReadTransport
from .settings import TransportSettings

T = TypeVar("T")

_NOT_ALLOWED = 405


class Transport(ReadTransport):
    """Sends the calls of one CLN account over persistent connections. Thread-safe."""

    def __init__(
        self,
        settings: TransportSettings,
        rate_limiter: RateLimiter,
        clock: Clock,
        redactor: Redactor,
        observe: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        super().__init__(settings, rate_limiter, clock, redactor, observe, reads=READS)
        self._methods: dict[Endpoint, str] = {}  # those that CLN allows instead of the documented ones

    def write(
        self,
        endpoint: Endpoint,
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], T],
        deadline: Deadline,
    ) -> T:
        """Send a call that changes something, once, and return ``decode(answer)``. Raises ClnError.

        If CLN does not allow the method of a call that its path names (HTTP 405: nothing was done), the call is sent
        once more with a method that CLN allows, which later calls use at once.
        """
        if endpoint not in WRITES:
            raise PermissionError(f"{endpoint.template} is not a call that changes something")
        method = self._methods.get(endpoint, endpoint.method)
        reply = self._send_change(endpoint.with_method(method), query, deadline)
        try:
            return self._decoded_change(reply, decode)
        except RefusedError:
            other = endpoint.other_method(method, reply.answer.allow) if reply.answer.status == _NOT_ALLOWED else None
            if other is None:
                raise
        reply = self._send_change(endpoint.with_method(other), query, deadline)
        if reply.answer.status != _NOT_ALLOWED:
            self._methods[endpoint] = other
        return self._decoded_change(reply, decode)

    def _send_change(self, endpoint: Endpoint, query: Callable[[], Mapping[str, str]], deadline: Deadline) -> Reply:
        # Over a new connection: after a change over a dead connection, the outcome would be unknown.
        return self._send(endpoint, dict, query, deadline, over_new=True)

    def _decoded_change(self, reply: Reply, decode: Callable[[HttpAnswer], T]) -> T:
        try:
            return reply.decoded(decode)
        except ClnError as error:
            if means_not_processed(reply.answer.status) and not error.request_sent:
                if isinstance(error, BadAnswerError):
                    raise RefusedError(f"nothing was changed: {error.problem}") from None
                raise
            error.request_sent = True
            raise
