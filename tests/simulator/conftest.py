"""A simulator with a constant clock and one account."""

from collections.abc import Iterator

import pytest

from cln_monitor.simulator import Account, Served, Simulator, serve

from .asking import NOW


@pytest.fixture
def simulator() -> Simulator:
    """Return a simulator without accounts at 2024-04-30T15:26:40Z."""
    return Simulator(clock=lambda: NOW)


@pytest.fixture
def account(simulator: Simulator) -> Account:
    """Return the account `acme_login`."""
    return simulator.add_account(login="acme_login", secret_key="s3cret")


@pytest.fixture
def served(simulator: Simulator, account: Account) -> Iterator[Served]:  # noqa: ARG001 -- served with its account
    """Yield the simulator served over HTTP."""
    with serve(simulator) as served:
        yield served
