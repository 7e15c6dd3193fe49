"""Tests against real servers: tests whose server is missing are skipped, with what to install as the reason."""

import pytest

from tests.helpers import servers


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that names the servers a test needs."""
    config.addinivalue_line("markers", "needs_server(*names): skip the test where one of these servers is missing")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test before its fixtures start anything if a server it needs is missing."""
    needed = dict.fromkeys(name for marker in item.iter_markers("needs_server") for name in marker.args)
    if reason := servers.reason_to_skip(needed):
        pytest.skip(reason)
