"""Send a single request over a pool of connections, and read its response; all failures are ClnErrors.

Of the modules that :class:`Transport` uses, this one and its imports need ``requests`` and ``urllib3``.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType

from cln_monitor.cln.errors import ClnError, TimedOutError, UnreachableError
from cln_monitor.cln.paging import paging_of_headers
from cln_monitor.http_body import in_utf8

from .answer import HttpAnswer, Reply, read_body
from .clock import Clock
from .dates import clock_skew, retry_after_seconds
from .error_mapping import FAILURES, Attempt, translate
from .pool import ConnectionPool
from .settings import TransportSettings, ignored_proxy
from .sockets import Call, call_deadline

_WITH_END = ("Content-Length", "Transfer-Encoding", "Content-Encoding")


class Sender:
    """Sends requests to the API root of ``settings`` over up to ``pool_size`` persistent connections. Thread-safe.

    Raises OSError if TLS is used and the CA bundle cannot be read.
    """

    def __init__(self, settings: TransportSettings, clock: Clock, pool_size: int) -> None:
        self._settings = settings
        self._clock = clock
        self._pool = ConnectionPool(
            api_url=settings.api_url,
            pool_size=pool_size,
            proxy=settings.proxy,
            ca_file=settings.ca_file,
            insecure_skip_verify=settings.insecure_skip_verify,
        )

    def clone(self) -> Sender:
        """Return a sender with the same settings and connections of its own."""
        sender = copy.copy(self)
        sender._pool = self._pool.clone()  # noqa: SLF001 # the rest of its initialization
        return sender

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        seconds: float,
        *,
        over_new: bool,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        """Send one request and return its response, received within ``seconds``. Raises ClnError.

        With ``over_new`` it is sent over a new connection. ``headers`` are those of this request alone.
        """
        with call_deadline(seconds, over_new=over_new) as call:
            try:
                with self._pool.request(method, path, query, seconds, headers) as response:
                    call.stage = "while reading the response"
                    received, now = response.headers, self._clock.time()
                    answer = HttpAnswer(
                        response.status,
                        in_utf8(read_body(response, call, self._settings), received.get("Content-Type", "")),
                        location=received.get("Location", ""),
                        allow=received.get("Allow", ""),
                        retry_after=received.get("Retry-After", "").strip(),
                        wait=retry_after_seconds(received, now),
                        clock_skew=clock_skew(received, now),
                        paging=paging_of_headers(received),
                        has_end=any(received.get(name) for name in _WITH_END),
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
        failure = translate(
            error,
            Attempt(call.stage, seconds, self._settings.server, self._settings.url_setting),
            request_sent=call.request_sent,
        )
        if call.connection is not None:
            call.connection.retire()
            failure.connection_was_stale = call.connection.was_reused and not call.connection.has_begun
        may_need_proxy = isinstance(failure, UnreachableError) or (
            isinstance(failure, TimedOutError) and not call.request_sent
        )
        if may_need_proxy and not self._settings.proxy and (name := ignored_proxy(self._settings.api_url)):
            failure.problem += f"; {name} is set but ignored: set proxy in the configuration, or use --proxy"
        return failure
