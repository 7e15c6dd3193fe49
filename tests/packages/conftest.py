"""Tests of packages take root, `make packages` before them, and minutes: they are in no other run."""

from __future__ import annotations

import os

import pytest

from tests.helpers import servers


def pytest_runtest_setup() -> None:
    """Skip a test where this machine can boot no other one."""
    if os.getuid() != 0:
        pytest.skip("only root can boot the machines that packages are installed on")
    if absent := servers.missing(["systemd"]):
        pytest.skip(f"no {', '.join(absent)} here: apt install {servers.packages(absent)}")
