"""Tests of packages need root, `make packages`, and minutes, so they are not part of any other run."""

from __future__ import annotations

import os

import pytest

from tests.helpers import servers


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the file that takes longest, half of the time of the run."""
    items.sort(key=lambda item: item.path.name != "test_next_release.py")


def pytest_runtest_setup() -> None:
    """Skip the test if this machine cannot boot another one."""
    if os.getuid() != 0:
        pytest.skip("only root can boot machines to install the packages on")
    if reason := servers.reason_to_skip(["systemd"]):
        pytest.skip(reason)
