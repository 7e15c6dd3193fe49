"""What every request passes before any path sees it: size, rate, user and password; and the headers of each answer."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .passwords import Passwords, TooManyWait
from .web_config import RateLimit, WebConfig

_LARGEST_BODY = 1 << 16
"""Bytes; no path reads a body, and some clients send a short one with every POST."""


class Guard:
    """Lets to ``app`` what the web configuration allows, which ``web`` gives; ``threads`` compare passwords."""

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

        refusal = await self._refusal(config, dict(scope["headers"]))
        await (refusal or self._app)(scope, receive, send_with_headers if config.headers else send)

    async def _refusal(self, config: WebConfig, headers: Mapping[bytes, bytes]) -> PlainTextResponse | None:
        """Return the answer to a request that is not let through."""
        if b"transfer-encoding" in headers:
            return _refuse(411, "a body has to say how long it is")
        if int(headers.get(b"content-length", b"0")) > _LARGEST_BODY:
            return _refuse(413, f"a body has {_LARGEST_BODY} bytes at most, and nothing here reads one")
        if config.rate_limit is not None:
            if self._bucket is None or self._bucket.limit != config.rate_limit:
                self._bucket = _Bucket(config.rate_limit, self._clock())
            if not self._bucket.take(self._clock()):
                return _refuse(429, "more requests than rate_limit of the web configuration allows", **_LATER)
        if not config.users:
            return None
        try:
            user, password = _credentials(headers.get(b"authorization", b""))
        except ValueError:
            return _refuse(401, "Unauthorized", **_WHO)
        try:
            fits = await self._passwords.fit(config.users, user, password)
        except TooManyWait:
            return _refuse(503, "too many passwords wait to be checked", **_LATER)
        return None if fits else _refuse(401, "Unauthorized", **_WHO)


_WHO = {"WWW-Authenticate": 'Basic realm="cln-exporter", charset="UTF-8"'}
_LATER = {"Retry-After": "1"}


def _refuse(status: int, text: str, **headers: str) -> PlainTextResponse:
    safe = {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    }
    return PlainTextResponse(text + "\n", status, headers=safe | headers)


def _credentials(header: bytes) -> tuple[bytes, bytes]:
    """Return user and password of an Authorization ``header``. Raises ValueError where it has none."""
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
    """Holds ``limit.burst`` tokens at most, gets one each ``limit.interval`` seconds, and gives one a request."""

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
