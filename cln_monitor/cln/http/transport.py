"""HTTP as the CLN API needs it: bounded in time, size and number; retried where that is safe; secrets never shown."""

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
from .error_mapping import FAILURES, says_nothing_was_done, translate
from .pool import ConnectionPool
from .rate_limiter import RateLimiter
from .retry import over_live_connection, with_retries
from .settings import TransportSettings, ignored_proxy
from .sockets import Call, UsedConnection, call_deadline

T = TypeVar("T")


class Reply(NamedTuple):
    """An answer, and the connection that it came over."""

    answer: HttpAnswer
    connection: UsedConnection | None

    def decoded(self, decode: Callable[[HttpAnswer], T]) -> T:
        """Return what ``decode`` makes of the answer. A connection is not used again when that is an error."""
        try:
            return decode(self.answer)
        except ClnError:
            if self.connection is not None:
                self.connection.retire()
            raise


class Transport:
    """Sends the calls of one account over connections that are kept. Safe between threads."""

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
        """CLN's clock less ours in seconds, as the last answer that told it has it."""
        self._session = ConnectionPool(
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
        """Ask ``endpoint`` and return what ``decode`` makes of the answer; failures that may pass are tried again.

        ``path`` and ``query`` are called for each request, as a token does not keep. Raises ClnError.
        """
        if endpoint not in READS:
            raise PermissionError(f"{endpoint.template} is not one of the calls that only read")
        return with_retries(lambda: self._ask(endpoint, path, query, decode, deadline), self.clock, deadline)

    def write(
        self,
        endpoint: Endpoint,
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], T],
        deadline: Deadline,
    ) -> T:
        """Send a call that changes something, once, and return what ``decode`` makes of the answer. Raises ClnError."""
        if endpoint not in WRITES:
            raise PermissionError(f"{endpoint.template} is not one of the calls that change something")
        # Over a new connection: of a change sent over one that had died meanwhile nobody would know what became.
        reply = self._send(endpoint, dict, query, deadline, over_new=True)
        try:
            return reply.decoded(decode)
        except ClnError as error:
            if says_nothing_was_done(reply.answer.status) and not error.request_sent:
                if isinstance(error, BadAnswerError):
                    raise RefusedError(f"nothing was done: {error.problem}") from None
                raise
            error.request_sent = True
            raise

    @contextlib.contextmanager
    def run(self) -> Iterator[Transport]:
        """Give the same transport with connections of its own, which end with the block.

        Who asks again in minutes keeps none meanwhile: a NAT forgets them, and the name may point elsewhere by then.
        """
        run = copy.copy(self)
        run._session = self._session.another()  # noqa: SLF001 # the second half of its own making
        try:
            yield run
        finally:
            run.close()

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._session.close()

    def _ask(
        self,
        endpoint: Endpoint,
        path: Callable[[], Mapping[str, str]],
        query: Callable[[], Mapping[str, str]],
        decode: Callable[[HttpAnswer], T],
        deadline: Deadline,
    ) -> T:
        reply = over_live_connection(
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
        with self._rate_limiter.turn(self.settings.host, deadline):
            target, arguments = endpoint.path(**path()), query()
            seconds = min(self.settings.timeout, deadline.left())
            if seconds <= 0:
                raise TimedOutError("nothing was sent, as the deadline had passed", of_run=True)
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
                with self._session.ask(method, path, query, seconds) as response:
                    call.stage = "reading the answer"
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
                    # RFC 9110, 15.5.9: it had waited for a request that never came, and says so in answer to ours.
                    stale = UnreachableError("the connection had been idle for too long (HTTP 408)", transient=True)
                    stale.connection_was_stale = True
                    raise stale
            except FAILURES as error:
                # Without a cause: the texts of the HTTP libraries show the URL, and with it the token.
                raise self._failure(error, call, seconds) from None
        return Reply(answer, call.connection)

    def _failure(self, error: BaseException, call: Call, seconds: float) -> ClnError:
        meant = translate(error, call.stage, seconds, request_sent=call.request_sent)
        if call.connection is not None:
            call.connection.retire()
            meant.connection_was_stale = call.connection.was_reused and not call.connection.has_begun
        may_need_proxy = isinstance(meant, UnreachableError) or (
            isinstance(meant, TimedOutError) and not call.request_sent
        )
        if may_need_proxy and not self.settings.proxy and (name := ignored_proxy(self.settings.api_url)):
            meant.problem += f"; {name} is set, but ignored: use proxy: in the configuration, or --proxy"
        return meant
