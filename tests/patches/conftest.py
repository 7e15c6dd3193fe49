"""A patch server, and a client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cln_monitor.cln import RateLimiter
from cln_monitor.patches import PatchServer, patch_settings
from tests.helpers.clock import FakeClock

from .answering import AnsweringPatchServer


@pytest.fixture
def clock() -> FakeClock:
    """A clock that tests set."""
    return FakeClock()


@pytest.fixture
def answering() -> Iterator[AnsweringPatchServer]:
    """The patch server."""
    with AnsweringPatchServer() as server:
        yield server


@pytest.fixture
def server(answering: AnsweringPatchServer, clock: FakeClock) -> Iterator[PatchServer]:
    """A client of the patch server."""
    server = PatchServer(patch_settings(f"{answering.url}/", timeout=5), RateLimiter(8, 0, clock), clock)
    yield server
    server.close()
