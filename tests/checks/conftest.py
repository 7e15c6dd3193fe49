"""A CLN to break, shared by all tests of the checks, and the files and options that plugins take to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Simulator
from tests.small_cln import LOGIN, small_cln, write_config


@dataclass(frozen=True)
class Cln:
    """A CLN of known values at ``url``; ``folder`` has its configuration and its secret key."""

    simulator: Simulator
    url: str
    folder: Path

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "cln-monitor.yml"

    @property
    def login(self) -> tuple[str, ...]:
        """The options that do without a configuration."""
        key_file = self.folder / "acme.secret"
        return "--login", LOGIN, "--secret-key-file", str(key_file), "--api-url", self.url


@pytest.fixture(scope="session")
def _cln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cln]:
    folder = tmp_path_factory.mktemp("cln")
    simulator = small_cln()
    with simulator.serve() as served:
        write_config(folder, served.url)
        yield Cln(simulator, served.url, folder)


@pytest.fixture
def cln(_cln: Cln) -> Iterator[Cln]:
    """That CLN, without the faults and the requests of the tests before."""
    _cln.simulator.clear_requests()
    yield _cln
    _cln.simulator.faults.clear()
