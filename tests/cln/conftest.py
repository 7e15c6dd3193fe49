"""A simulated CLN with one account, and clients for it; their clock advances only when a test says so."""

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
    """A clock that tests set."""
    return FakeClock()


@pytest.fixture
def redactor() -> Redactor:
    """The redactor of this test's clients."""
    return Redactor()


@pytest.fixture
def simulator(clock: FakeClock) -> Simulator:
    """A simulated CLN with the same clock."""
    return Simulator(clock=clock.time)


@pytest.fixture
def account(simulator: Simulator) -> Account:
    """The account of the simulated CLN."""
    return simulator.add_account(LOGIN, SECRET_KEY, REGISTRATION_TOKEN)


@pytest.fixture
def served(simulator: Simulator, account: Account) -> Iterator[Served]:  # noqa: ARG001 # served with its account
    """The simulated CLN over HTTP."""
    with serve(simulator) as served:
        yield served


@pytest.fixture
def cln() -> Iterator[AnsweringCln]:
    """A CLN whose response the test sets."""
    with AnsweringCln() as cln:
        yield cln


@pytest.fixture(scope="session")
def one_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one certificate, as loading certifi's bundle for hundreds of clients takes 20 ms each."""
    bundle = Path(certifi.where()).read_text(encoding="ascii", errors="ignore")
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("certifi") / "one.pem"
    file.write_text(bundle[bundle.index("-----BEGIN") : bundle.index(end)] + end)
    return file


@pytest.fixture
def clients(clock: FakeClock, redactor: Redactor, one_ca: Path) -> Iterator[Clients]:
    """A factory of clients, which closes their connections after the test."""
    with Clients(clock, redactor, one_ca) as clients:
        yield clients


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that signs the certificates of a test."""
    return Authority(tmp_path_factory.mktemp("certificates"))
