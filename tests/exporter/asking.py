"""How these tests ask the web application: without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp


def client(app: ASGIApp) -> httpx.AsyncClient:
    """Return a client of ``app`` that has no headers of its own, to be entered."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    made = httpx.AsyncClient(transport=transport, base_url="http://exporter.example.net")
    made.headers.clear()
    return made


def ask(app: ASGIApp, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Return the answer of ``app``; a gzip body is unpacked."""

    async def asked() -> httpx.Response:
        async with client(app) as asking:
            return await asking.request(method, path, headers=headers)

    return asyncio.run(asked())
