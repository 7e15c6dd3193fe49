"""Send read-only requests to an API: limited in time, size and rate, retried, without leaking secrets."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Self, TypeVar

from cln_monitor.cln.endpoints import Endpoint
from cln_monitor.cln.errors import ClnError, TimedOutError
from cln_monitor.cln.http.clock import Clock
from cln_monitor.cln.http.deadline import Deadline
from cln_monitor.cln.redactor import Redactor

from .answer import Exchange, HttpAnswer, Reply, rate_limit
from .rate_limiter import RateLimiter
from .retry import with_reconnect, with_retries
from .settings import TransportSettings

T = TypeVar("T")


class ReadTransport:
    """Sends the calls in ``reads``, all of them GETs, over persistent connections. Thread-safe.

    ``headers`` is called for each request and returns what is sent in addition, such as an API key. Raises ValueError
    if one of ``reads`` is not a GET.
    """

    def __init__(
        self,
        settings: TransportSettings,
        rate_limiter: RateLimiter,
        clock: Clock,
        redactor: Redactor,
        observe: Callable[[Exchange], None] = lambda _: None,
        *,
        reads: Collection[Endpoint],
        headers: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        from .sender import Sender  # noqa: PLC0415 # requests and urllib3: only a program that sends waits for them

        if any(endpoint.method != "GET" for endpoint in reads):
            raise ValueError("a read-only call is a GET")
        self.settings = settings
        self.redactor = redactor
        self.clock = clock
        for url in (settings.api_url, settings.proxy or ""):
            redactor.hide_password_of(url)
        self._reads = reads
        self._headers = headers
        self._rate_limiter = rate_limiter
        self._observe = observe
        self.clock_skew: float | None = None
        """The server's clock minus the local clock in seconds, from the last response with a usable date."""
        self._sender = Sender(settings, clock, rate_limiter.concurrency)

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
        if endpoint not in self._reads:
            raise PermissionError(f"{endpoint.template} is not a read-only call")
        return with_retries(lambda: self._read_once(endpoint, path, query, decode, deadline), self.clock, deadline)

    @contextlib.contextmanager
    def run(self) -> Iterator[Self]:
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
            target, arguments, headers = endpoint.path(**path()), query(), self._headers()
            seconds = min(self.settings.timeout, deadline.left())
            if seconds <= 0:
                raise TimedOutError("deadline exceeded; request not sent", of_run=True)
            started = time.monotonic()
            code, skew = "", None
            try:
                reply = self._sender.send(
                    endpoint.method, target, arguments, seconds, over_new=over_new, headers=headers
                )
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
        limited = rate_limit(reply.answer, self.settings.server)
        if limited is None:
            return reply
        if limited.retry_after is not None:
            self._rate_limiter.pause(self.settings.host, limited.retry_after)
        raise limited
