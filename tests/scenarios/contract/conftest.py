"""The account of the tests of clntool, and a client for it: both readings of the API document on one wire."""

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
from cln_monitor.simulator import REVISIONS
from tests.cli.account import LOGIN, SECRET_KEY, TOKEN, Cln, a_cln


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    """Return each revision of the document."""
    return str(request.param)


@pytest.fixture
def cln(tmp_path: Path, revision: str) -> Iterator[Cln]:
    """Yield a new CLN of each revision for each test."""
    with a_cln(tmp_path / "contract", revision) as cln:
        yield cln


@pytest.fixture
def client(cln: Cln) -> Iterator[Client]:
    """Yield a client that never waits."""
    clock = SystemClock()
    settings = TransportSettings(api_url=cln.url, timeout=5.0, ca_file=str(cln.config.with_name("one.pem")))
    transport = Transport(settings, RateLimiter(8, 0, clock), clock, Redactor())
    with Client.over(transport, Credentials(LOGIN, lambda: Secret(SECRET_KEY), lambda: Secret(TOKEN))) as client:
        yield client
