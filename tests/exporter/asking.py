"""How these tests ask the web application: without a socket."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.types import ASGIApp

from cln_monitor.exporter.single_flight import SingleFlight
from tests.helpers.running import wait_until


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


def wait_for_visitors(flight: SingleFlight[Any], number: int) -> None:
    """Return when so many wait for the work of ``flight`` that is under way."""

    def waiting() -> int:
        run = flight._running
        return 0 if run is None else len(run._condition._waiters)  # type: ignore[attr-defined] # nothing public tells

    wait_until(lambda: waiting() >= number, f"{number} to wait for the run")


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header that says who asks."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
