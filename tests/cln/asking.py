"""Clients and helpers for the tests of the client."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, quote_plus, urlencode

from cln_monitor.cln import (
    Client,
    Credentials,
    Deadline,
    Exchange,
    RateLimiter,
    ReadOnlyClient,
    Redactor,
    Secret,
    Transport,
    TransportSettings,
)
from cln_monitor.cln.endpoints import STATUS_JSON, Endpoint
from cln_monitor.cln.http.answer import HttpAnswer
from tests.helpers.clock import FakeClock

# Nothing of this may ever be shown, in whatever spelling: each holds what URLs, JSON, HTML and Python escape.
LOGIN = "pl4nted+login@example.net"
SECRET_KEY = 'pl4nted "secret"/kéy&50%<\'>\\'
REGISTRATION_TOKEN = "pl4nted/registration token?#=ü"
KEY = "Pl4ntedKcKey0001"
IMUNIFY_KEY = "IMPL4NTEDKEY000001"
MONITORING_KEY = "Pl4ntedMonitoringKey1"
PROXY_PASSWORD = "pl4nted:proxy@pass/wörd"
SECRETS = (LOGIN, SECRET_KEY, REGISTRATION_TOKEN, KEY, IMUNIFY_KEY, MONITORING_KEY, PROXY_PASSWORD)

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in a query": quote_plus,
    "in a query of urlencode": lambda value: urlencode({"key": value}),
    "in a path": quote,
    "in a part of a path": lambda value: quote(value, safe=""),
    "in a part of a path, small hex digits": lambda value: re.sub(
        "%..", lambda code: code[0].lower(), quote(value, safe="")
    ),
    "quoted twice": lambda value: quote(quote(value, safe=""), safe=""),
    "in JSON": json.dumps,
    "in JSON that is UTF-8": lambda value: json.dumps(value, ensure_ascii=False),
    "in a repr": repr,
    "in a repr of bytes": lambda value: repr(value.encode()),
    "in ascii()": ascii,
    "in HTML": html.escape,
    "in the text of HTML": lambda value: html.escape(value, quote=False),
}
"""The ways in which a text may show a secret."""


def credentials(registration_token: str | None = None) -> Credentials:
    """Return the credentials of the one account."""
    token = None if registration_token is None else Secret(registration_token)
    return Credentials(LOGIN, lambda: Secret(SECRET_KEY), None if token is None else lambda: token)


class Clients:
    """Makes clients that share a clock, rate limits and a redactor. ``exchanges`` has the observed requests."""

    def __init__(self, clock: FakeClock, redactor: Redactor, ca_file: Path) -> None:
        self.clock = clock
        self.exchanges: list[Exchange] = []
        self._redactor = redactor
        self._ca_file = str(ca_file)
        self._transports: list[Transport] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for transport in self._transports:
            transport.close()

    def transport(
        self,
        api_url: str,
        *,
        timeout: float = 5.0,
        limits: RateLimiter | None = None,
        concurrency: int = 8,
        requests_per_second: float = 0,
        **settings: Any,
    ) -> Transport:
        """Return a transport to ``api_url``; ``settings`` as in TransportSettings."""
        limits = limits or RateLimiter(concurrency, requests_per_second, self.clock)
        settings = {"api_url": api_url, "timeout": timeout, "ca_file": self._ca_file, **settings}
        transport = Transport(TransportSettings(**settings), limits, self.clock, self._redactor, self.exchanges.append)
        self._transports.append(transport)
        return transport

    def client(self, api_url: str, *, registration_token: str | None = None, **settings: Any) -> ReadOnlyClient:
        """Return a client of the one account."""
        return ReadOnlyClient.over(self.transport(api_url, **settings), credentials(registration_token))

    def writer(self, api_url: str, **settings: Any) -> Client:
        """Return a client of the one account that can change it."""
        return Client.over(self.transport(api_url, **settings), credentials())


def read(transport: Transport, endpoint: Endpoint = STATUS_JSON, deadline: Deadline | None = None) -> HttpAnswer:
    """Return the response of a call, undecoded."""
    return transport.read(endpoint, dict, dict, lambda answer: answer, deadline or Deadline.never(transport.clock))


def enveloped(data: object) -> bytes:
    """Return ``data`` in the envelope of CLN."""
    return json.dumps({"success": True, "message": None, "type": None, "data": data}).encode()


def refused(message: str) -> bytes:
    """Return the response by which CLN refuses a request."""
    return json.dumps({"success": False, "message": message, "type": None, "data": None}).encode()
