"""A simulated CLN for each test of clntool, served over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.cln import RateLimiter

from .account import Cln, a_cln


@pytest.fixture
def cln(tmp_path: Path) -> Iterator[Cln]:
    """Yield a new CLN: creating one takes a millisecond, and tests do not affect each other."""
    with a_cln(tmp_path / "clntool") as cln:
        yield cln


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the variables that clntool reads, retry without delay, and send any number of requests per second."""
    for name in os.environ:
        if name.startswith("CLN_") or name in {"COLUMNS", "FORCE_COLOR", "NO_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr("cln_monitor.cln.http.retry._FIRST_BACK_OFF", 0.001)
    for module in ("cli.session", "config.clients"):
        monkeypatch.setattr(f"cln_monitor.{module}.RateLimiter", lambda most, _, clock: RateLimiter(most, 0, clock))
