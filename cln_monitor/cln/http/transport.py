"""Send requests to the CLN API: limited in time, size and rate, retried where that is safe, without leaking secrets."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from cln_monitor.cln.endpoints import READS, WRITES, Endpoint
from cln_monitor.cln.errors import (
    BadAnswerError,
    ClnError,
    RefusedError,
    TimedOutError,
    UnreachableError,
)
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline
from cln_monitor.cln.paging import paging_of_headers
from cln_monitor.cln.redactor import Redactor
from cln_monitor.http_body import in_utf8

from .answer import Exchange, HttpAnswer, rate_limit, read_body
from .dates import clock_skew, retry_after_seconds
from .error_mapping import FAILURES, means_not_processed, translate
from .pool import ConnectionPool
from .rate_limiter import RateLimiter
from .retry import with_reconnect, with_retries
from .settings import TransportSettings, ignored_proxy
from .sockets import Call, UsedConnection, call_deadline

T = TypeVar("T")


class Reply(NamedTuple):
    """A response and its connection."""

    answer: HttpAnswer
    connection: UsedConnection | None

    def decoded(self, decode: Callable[[HttpAnswer], T]) -> T:
        """Return ``decode(answer)``. If that raises a ClnError, the connection is not reused."""
        try:
            return decode(self.answer)
        except ClnError:
            if self.connection is not None:
                self.connection.retire()
            raise


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
        self.settings = settings
        self.redactor = redactor
        self.clock = clock
        for url in (settings.api_url, settings.proxy or ""):
            redactor.hide_password_of(url)
        self._rate_limiter = rate_limiter
        self._observe = observe
        self.clock_skew: float | None = None
        """CLN's clock minus the local clock in seconds, from the last response with a usable date."""
        self._pool = ConnectionPool(
            api_url=settings.api_url,
            pool_size=rate_limiter.concurrency,
            proxy=settings.proxy,
            ca_file=settings.ca_file,
            insecure_skip_verify=settings.insecure_skip_verify,
        )

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
        """Send a call that changes something, once, and return ``decode(answer)``. Raises ClnError."""
        if endpoint not in WRITES:
            raise PermissionError(f"{endpoint.template} is not a call that changes something")
        # Over a new connection: after a change over a dead connection, the outcome would be unknown.
        reply = self._send(endpoint, dict, query, deadline, over_new=True)
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
        run._pool = self._pool.clone()  # noqa: SLF001 # the rest of its initialization
        try:
            yield run
        finally:
            run.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

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
                reply = self._exchange(endpoint.method, target, arguments, seconds, over_new=over_new)
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

    def _exchange(self, method: str, path: str, query: Mapping[str, str], seconds: float, *, over_new: bool) -> Reply:
        with call_deadline(seconds, over_new=over_new) as call:
            try:
                with self._pool.request(method, path, query, seconds) as response:
                    call.stage = "while reading the response"
                    headers, now = response.headers, self.clock.time()
                    answer = HttpAnswer(
                        response.status,
                        in_utf8(read_body(response, call), headers.get("Content-Type", "")),
                        location=headers.get("Location", ""),
                        retry_after=headers.get("Retry-After", "").strip(),
                        wait=retry_after_seconds(headers, now),
                        clock_skew=clock_skew(headers, now),
                        paging=paging_of_headers(headers),
                    )
                if answer.status == 408 and call.connection is not None and call.connection.was_reused:
                    # RFC 9110, section 15.5.9: sent for the idle time before this request, not for the request.
                    stale = UnreachableError("idle connection timed out (HTTP 408)", transient=True)
                    stale.connection_was_stale = True
                    raise stale
            except FAILURES as error:
                # Without a cause: the texts of the HTTP libraries contain the URL, and with it the token.
                raise self._failure(error, call, seconds) from None
        return Reply(answer, call.connection)

    def _failure(self, error: BaseException, call: Call, seconds: float) -> ClnError:
        failure = translate(error, call.stage, seconds, request_sent=call.request_sent)
        if call.connection is not None:
            call.connection.retire()
            failure.connection_was_stale = call.connection.was_reused and not call.connection.has_begun
        may_need_proxy = isinstance(failure, UnreachableError) or (
            isinstance(failure, TimedOutError) and not call.request_sent
        )
        if may_need_proxy and not self.settings.proxy and (name := ignored_proxy(self.settings.api_url)):
            failure.problem += f"; {name} is set but ignored: set proxy in the configuration, or use --proxy"
        return failure
