"""What is tested in Debian's next release is newer than what the other tests use."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("package", "least"), [("prometheus", (3, 0)), ("victoria-metrics", (1, 100)), ("icinga2-bin", (2, 16))]
)
def test_version_of_a_server(package: str, least: tuple[int, int]) -> None:
    """The server is of a recent release."""
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    found = re.match(r"(\d+)\.(\d+)\.", done.stdout)
    assert found is not None, done.stdout
    assert (int(found[1]), int(found[2])) >= least


def test_version_of_python() -> None:
    """The tests run with Python 3.14 or newer."""
    assert sys.version_info >= (3, 14)
