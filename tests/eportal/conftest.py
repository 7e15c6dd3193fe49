"""An ePortal of seven servers, two of them out of date, and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from cln_monitor.cln import RateLimiter, Redactor, Secret, TransportSettings
from cln_monitor.eportal import EportalClient, EportalCredentials
from tests.helpers.clock import FakeClock

from .answering import AnsweringEportal, row

API_KEY = "pl4nted-api-key"
Connect = Callable[..., EportalClient]


@pytest.fixture
def clock() -> FakeClock:
    """A clock that tests set."""
    return FakeClock()


@pytest.fixture
def redactor() -> Redactor:
    """The redactor of this test's clients."""
    return Redactor()


@pytest.fixture
def eportal() -> Iterator[AnsweringEportal]:
    """The ePortal."""
    with AnsweringEportal([row(number) for number in range(7)]) as eportal:
        eportal.outdated = {eportal.rows[2]["id"], eportal.rows[5]["id"]}
        yield eportal


@pytest.fixture
def connect(clock: FakeClock, redactor: Redactor) -> Iterator[Connect]:
    """Make a client, by default with an API key; its connections are closed after the test."""
    clients: list[EportalClient] = []

    def connect(url: str, credentials: EportalCredentials | None = None) -> EportalClient:
        credentials = credentials or EportalCredentials(api_key=lambda: Secret(API_KEY))
        settings = TransportSettings(f"{url}/admin/api", timeout=5)
        clients.append(EportalClient(settings, credentials, RateLimiter(8, 0, clock), clock, redactor))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Connect, eportal: AnsweringEportal) -> EportalClient:
    """A client of the ePortal."""
    return connect(eportal.url)
