"""Tests of packages need root, `make packages`, and minutes, so they are not part of any other run."""

from __future__ import annotations

import os

import pytest

from tests.helpers import servers


def pytest_runtest_setup() -> None:
    """Skip the test if this machine cannot boot another one."""
    if os.getuid() != 0:
        pytest.skip("only root can boot machines to install the packages on")
    if reason := servers.reason_to_skip(["systemd"]):
        pytest.skip(reason)
