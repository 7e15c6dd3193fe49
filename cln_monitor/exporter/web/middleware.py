"""The checks of every request before it is routed: size, rate, user and password; and the headers of responses."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .config import WebConfig
from .config_schema import RateLimit
from .passwords import PasswordQueueFullError, Passwords
from .protocol import by_its_path, problem_of

T = TypeVar("T")


class AuthMiddleware:
    """Pass requests to ``app`` that the web configuration, returned by ``web``, allows.

    ``threads`` compare passwords.
    """

    def __init__(
        self,
        app: ASGIApp,
        web: Callable[[], WebConfig],
        clock: Callable[[], float] = time.monotonic,
        threads: Executor | None = None,
    ) -> None:
        self._app = app
        self._web = web
        self._clock = clock
        self._passwords = Passwords(threads)
        self._bucket: _Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        config = self._web()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in config.headers.items():
                    headers[name] = value
            await send(message)

        inbox, outbox = _Inbox(receive), _Outbox(send_with_headers if config.headers else send)
        try:
            refusal = await self._refusal(config, scope, inbox)
            await (refusal or self._app)(by_its_path(scope), inbox.receive, outbox.send)
        except _ClientLeftError:
            return
        except asyncio.CancelledError:  # by a shutdown whose grace period has ended
            if not outbox.has_begun:
                await _refuse(503, "the exporter is shutting down", Connection="close")(
                    scope, inbox.receive, outbox.send
                )

    async def _refusal(self, config: WebConfig, scope: Scope, inbox: _Inbox) -> PlainTextResponse | None:
        """Return the error response to a request that is rejected, else None. Raises _ClientLeftError."""
        if problem := problem_of(scope):
            return _refuse(*problem, Connection="close")
        if config.rate_limit is not None and not self._is_within(config.rate_limit):
            return _refuse(429, "rate limit exceeded (rate_limit of the web configuration)", **_RETRY)
        return await self._refusal_of_user(config, scope, inbox) if config.users else None

    def _is_within(self, limit: RateLimit) -> bool:
        if self._bucket is None or self._bucket.limit != limit:
            self._bucket = _Bucket(limit, self._clock())
        return self._bucket.take(self._clock())

    async def _refusal_of_user(self, config: WebConfig, scope: Scope, inbox: _Inbox) -> PlainTextResponse | None:
        try:
            user, password = _credentials(dict(scope["headers"]).get(b"authorization", b""))
        except ValueError:
            return _refuse(401, "Unauthorized", **_CHALLENGE)
        if self._passwords.knows(config.users, user, password):
            return None
        client = (scope["client"] or ("",))[0]
        try:
            fits = await inbox.unless_left(self._passwords.fit(config.users, user, password, client))
        except PasswordQueueFullError:
            return _refuse(503, "too many logins are waiting for a password check; try again later", **_RETRY)
        return None if fits else _refuse(401, "Unauthorized", **_CHALLENGE)


class _ClientLeftError(Exception):
    """The client has disconnected before the response."""


class _Outbox:
    """The messages to a client. ``has_begun``: part of the response was sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        self.has_begun = True
        await self._send(message)


class _Inbox:
    """The messages from a client, buffered for the application while a disconnect is awaited."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []

    async def receive(self) -> Message:
        """Return the next message."""
        return self._kept.pop(0) if self._kept else await self._receive()

    async def unless_left(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of ``work``. Cancels it and raises _ClientLeftError when the client disconnects."""
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self._until_left())
        try:
            await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise _ClientLeftError
            return working.result()
        finally:
            working.cancel()
            leaving.cancel()

    async def _until_left(self) -> None:
        while not self._kept or self._kept[-1]["type"] != "http.disconnect":
            self._kept.append(await self._receive())


_CHALLENGE = {"WWW-Authenticate": 'Basic realm="cln-exporter", charset="UTF-8"'}
_RETRY = {"Retry-After": "1"}


def _refuse(status: int, text: str, **headers: str) -> PlainTextResponse:
    safe = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    return PlainTextResponse(text + "\n", status, headers=safe | headers)


def _credentials(header: bytes) -> tuple[bytes, bytes]:
    """Return the user and password of an Authorization ``header``. Raises ValueError if it has none."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        raise ValueError("another scheme")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        raise ValueError("not base64") from None
    if not colon:
        raise ValueError("no password")
    return user, password


class _Bucket:
    """A token bucket of ``limit.burst`` tokens, refilled by one every ``limit.interval`` seconds."""

    def __init__(self, limit: RateLimit, now: float) -> None:
        self.limit = limit
        self._tokens = float(limit.burst)
        self._filled_at = now

    def take(self, now: float) -> bool:
        filled = self._tokens + (now - self._filled_at) / self.limit.interval
        self._tokens, self._filled_at = min(filled, float(self.limit.burst)), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
