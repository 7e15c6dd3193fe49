"""A CLN to break, of its own for each test of the checks, and the files and options that plugins take to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Simulator, serve
from tests.helpers.small_cln import LOGIN, small_cln, write_config


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


@pytest.fixture
def cln(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cln]:
    """That CLN: to make one takes a millisecond, and no test finds what another one has left."""
    folder = tmp_path_factory.mktemp("cln")  # beside tmp_path, the files in which some tests count
    simulator = small_cln()
    with serve(simulator) as served:
        write_config(folder, served.url)
        yield Cln(simulator, served.url, folder)
