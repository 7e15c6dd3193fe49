"""Send requests to the CLN API: limited in time, size and rate, retried where that is safe, without leaking secrets."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from cln_monitor.cln.endpoints import READS, WRITES, Endpoint
from cln_monitor.cln.errors import (
    BadAnswerError,
    ClnError,
    RefusedError,
    TimedOutError,
)
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline
from cln_monitor.cln.redactor import Redactor

from .answer import Exchange, HttpAnswer, Reply, means_not_processed, rate_limit
from .rate_limiter import RateLimiter
from .retry import with_reconnect, with_retries
from .settings import TransportSettings

T = TypeVar("T")

_NOT_ALLOWED = 405


class Transport:
    """Sends the calls of one account over persistent connections. Thread-safe."""

    def __init__(
        self,
        settings: TransportSettings,
        rate_limiter: RateLimiter,
        clock: Clock,
        redactor: Redactor,
        observe: Callable[[Exchange], None] = lambda _: None,
    ) -> None:
        from .sender import Sender  # noqa: PLC0415 # requests and urllib3: only a program that sends waits for them

        self.settings = settings
        self.redactor = redactor
        self.clock = clock
        for url in (settings.api_url, settings.proxy or ""):
            redactor.hide_password_of(url)
        self._rate_limiter = rate_limiter
        self._observe = observe
        self.clock_skew: float | None = None
        """CLN's clock minus the local clock in seconds, from the last response with a usable date."""
        self._sender = Sender(settings, clock, rate_limiter.concurrency)
        self._methods: dict[Endpoint, str] = {}  # those that CLN allows instead of the documented ones

    def read(
        self,
        endpoint: Endpoint,
        path: Callable[[], Mapping[str, str]],
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], T],
        deadline: Deadline,
    ) -> T:
        """Send a request to ``endpoint`` and return ``decode(answer)``; transient failures are retried.

        ``path`` and ``query`` are called for each request, as a token expires. Raises ClnError.
        """
        if endpoint not in READS:
            raise PermissionError(f"{endpoint.template} is not a read-only call")
        return with_retries(lambda: self._read_once(endpoint, path, query, decode, deadline), self.clock, deadline)

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

    @contextlib.contextmanager
    def run(self) -> Iterator[Transport]:
        """Yield a copy of the transport with connections of its own, which are closed on exit.

        None are kept between polls: a NAT may drop them, and the host may have another address by then.
        """
        run = copy.copy(self)
        run._sender = self._sender.clone()  # noqa: SLF001 # the rest of its initialization
        try:
            yield run
        finally:
            run.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._sender.close()

    def _read_once(
        self,
        endpoint: Endpoint,
        path: Callable[[], Mapping[str, str]],
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], T],
        deadline: Deadline,
    ) -> T:
        reply = with_reconnect(
            lambda over_new: self._send(endpoint, path, query, deadline, over_new=over_new), deadline
        )
        return reply.decoded(decode)

    def _send(
        self,
        endpoint: Endpoint,
        path: Callable[[], Mapping[str, str]],
        query: Callable[[], Mapping[str, str]],
        deadline: Deadline,
        *,
        over_new: bool = False,
    ) -> Reply:
        with self._rate_limiter.slot(self.settings.host, deadline):
            target, arguments = endpoint.path(**path()), query()
            seconds = min(self.settings.timeout, deadline.left())
            if seconds <= 0:
                raise TimedOutError("deadline exceeded; request not sent", of_run=True)
            started = time.monotonic()
            code, skew = "", None
            try:
                reply = self._sender.send(endpoint.method, target, arguments, seconds, over_new=over_new)
                code, skew = str(reply.answer.status), reply.answer.clock_skew
                self.clock_skew = self.clock_skew if skew is None else skew
            except ClnError as error:
                code = error.reason
                if isinstance(error, TimedOutError):
                    error.of_run = seconds < self.settings.timeout
                raise
            finally:
                seconds_taken = time.monotonic() - started
                self._observe(Exchange(self.settings.api, endpoint.template, code, seconds_taken, skew))
        limited = rate_limit(reply.answer)
        if limited is None:
            return reply
        if limited.retry_after is not None:
            self._rate_limiter.pause(self.settings.host, limited.retry_after)
        raise limited
