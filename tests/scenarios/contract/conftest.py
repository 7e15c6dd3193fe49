"""The account of the tests of clntool, and a client of it: both readings of the document on one wire."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.cln import (
    Client,
    Credentials,
    RateLimiter,
    Redactor,
    Secret,
    SystemClock,
    Transport,
    TransportSettings,
)
from tests.cli.account import LOGIN, SECRET_KEY, TOKEN, Cln, a_cln


@pytest.fixture
def cln(tmp_path: Path) -> Iterator[Cln]:
    """That CLN, of its own for each test."""
    with a_cln(tmp_path / "contract") as cln:
        yield cln


@pytest.fixture
def client(cln: Cln) -> Iterator[Client]:
    """A client that waits for nothing."""
    clock = SystemClock()
    settings = TransportSettings(api_url=cln.url, timeout=5.0, ca_file=str(cln.config.with_name("one.pem")))
    transport = Transport(settings, RateLimiter(8, 0, clock), clock, Redactor())
    with Client.over(transport, Credentials(LOGIN, lambda: Secret(SECRET_KEY), lambda: Secret(TOKEN))) as client:
        yield client
