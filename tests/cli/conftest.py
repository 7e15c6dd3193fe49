"""One simulated CLN, served over HTTP for all tests of clntool, whose account each of them finds as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cln_monitor.simulator import Simulator

from .account import Cln, furnish, write_config


@pytest.fixture(scope="session")
def _cln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cln]:
    simulator = Simulator(seed=1)
    with simulator.serve() as served:
        yield Cln(simulator, served.url, write_config(tmp_path_factory.mktemp("clntool"), served.url))


@pytest.fixture
def cln(_cln: Cln) -> Iterator[Cln]:
    """That CLN as it was, without the faults and the requests of the tests before."""
    furnish(_cln.simulator)
    yield _cln
    _cln.simulator.faults.clear()


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment counts, and what may pass is tried again at once."""
    for name in os.environ:
        if name.startswith("CLN_") or name in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr("cln_monitor.cln.transport._FIRST_BACK_OFF", 0.001)
