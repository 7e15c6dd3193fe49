"""The account of the tests of clntool, and a client of it: both readings of the document on one wire."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cln_monitor.cln import Client, Credentials, Limits, Redactor, Secret, SystemClock, Transport, TransportSettings
from cln_monitor.simulator import Simulator
from tests.cli.account import LOGIN, SECRET_KEY, TOKEN, Cln, furnish, write_config


@pytest.fixture(scope="session")
def _cln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cln]:
    simulator = Simulator(seed=1)
    with simulator.serve() as served:
        yield Cln(simulator, served.url, write_config(tmp_path_factory.mktemp("contract"), served.url))


@pytest.fixture
def cln(_cln: Cln) -> Cln:
    """That CLN as it was."""
    furnish(_cln.simulator)
    return _cln


@pytest.fixture(scope="session")
def client(_cln: Cln) -> Iterator[Client]:
    """A client that waits for nothing."""
    clock = SystemClock()
    settings = TransportSettings(api_url=_cln.url, timeout=5.0, ca_file=str(_cln.config.with_name("one.pem")))
    transport = Transport(settings, Limits(8, 0, clock), clock, Redactor())
    with Client.over(transport, Credentials(LOGIN, lambda: Secret(SECRET_KEY), lambda: Secret(TOKEN))) as client:
        yield client
