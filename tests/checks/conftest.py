"""A fresh simulated CLN for each test of the checks, with the files and options with which plugins use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Simulator, serve
from tests.helpers.small_cln import LOGIN, small_cln, write_config


@dataclass(frozen=True)
class Cln:
    """A simulated CLN with known data at ``url``; ``directory`` has its configuration and its secret key."""

    simulator: Simulator
    url: str
    directory: Path

    @property
    def config(self) -> Path:
        """The configuration file."""
        return self.directory / "cln-monitor.yml"

    @property
    def login(self) -> tuple[str, ...]:
        """The options for a run without a configuration file."""
        key_file = self.directory / "acme.secret"
        return "--login", LOGIN, "--secret-key-file", str(key_file), "--api-url", self.url


@pytest.fixture
def cln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cln]:
    """A simulated CLN; creating one takes a millisecond, so each test gets its own."""
    directory = tmp_path_factory.mktemp("cln")  # beside tmp_path, the files in which some tests count
    simulator = small_cln()
    with serve(simulator) as served:
        write_config(directory, served.url)
        yield Cln(simulator, served.url, directory)
