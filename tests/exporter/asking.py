"""Sends requests to the web application without a socket."""

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
    """Return a client of ``app`` without default headers; use it as a context manager."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    http_client = httpx.AsyncClient(transport=transport, base_url="http://exporter.example.net")
    http_client.headers.clear()
    return http_client


def ask(app: ASGIApp, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    """Return the response of ``app``; a gzip body is decompressed."""

    async def send() -> httpx.Response:
        async with client(app) as http_client:
            return await http_client.request(method, path, headers=headers)

    return asyncio.run(send())


def wait_for_visitors(flight: SingleFlight[Any], number: int) -> None:
    """Wait until ``number`` callers wait for the run of ``flight`` in progress."""

    def waiting() -> int:
        run = flight._running
        return 0 if run is None else len(run._condition._waiters)  # type: ignore[attr-defined] # there is no public API

    wait_until(lambda: waiting() >= number, f"{number} to wait for the run")


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header for basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}
