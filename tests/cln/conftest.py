"""A simulated CLN with one account, and clients to ask it with; their clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest

from cln_monitor.cln import Redactor
from cln_monitor.simulator import Account, Served, Simulator, serve
from tests.helpers.certificates import Authority
from tests.helpers.clock import FakeClock

from .answering import AnsweringCln
from .asking import LOGIN, REGISTRATION_TOKEN, SECRET_KEY, Clients


@pytest.fixture
def clock() -> FakeClock:
    """A clock that tests turn by hand."""
    return FakeClock()


@pytest.fixture
def redactor() -> Redactor:
    """What keeps the secrets of this test's clients out of texts."""
    return Redactor()


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    """A CLN that lives by the same clock."""
    return Simulator(clock=clock.time)


@pytest.fixture
def account(simulator: Simulator) -> Account:
    """Its one account."""
    return simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)


@pytest.fixture
def served(simulator: Simulator, account: Account) -> Iterator[Served]:  # noqa: ARG001 # served with its account
    """That CLN over HTTP."""
    with serve(simulator) as served:
        yield served


@pytest.fixture
def cln() -> Iterator[AnsweringCln]:
    """A CLN that answers as the test says."""
    with AnsweringCln() as cln:
        yield cln


@pytest.fixture(scope="session")
def one_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one certificate: to load all of certifi's takes 20 ms, for each of hundreds of clients."""
    bundle = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("certifi") / "one.pem"
    file.write_text(bundle[bundle.index("-----BEGIN") : bundle.index(end)] + end)
    return file


@pytest.fixture
def clients(clock: FakeClock, redactor: Redactor, one_ca: Path) -> Iterator[Clients]:
    """Makes clients, and closes their connections when the test is over."""
    with Clients(clock, redactor, one_ca) as clients:
        yield clients


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that signs what a test needs."""
    return Authority(tmp_path_factory.mktemp("certificates"))
