"""A pytest plugin: which tests start programs, so that `make check` leaves them out and `make test` starts with them.

Tests in the folders of `FOLDERS` do, all others have the marker `processes` where they do. A test that starts a program
without it fails, so the marker cannot be forgotten.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

FOLDERS = ("real", "faults", "soak", "bench")
"""Folders whose tests start programs, all of them; the longest first."""

_HERE = Path(__file__).parent
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
_MEASURES_CHILDREN = "COVERAGE_PROCESS_CONFIG"  # set by coverage
_WITH_MEASURED_CHILDREN = ("test_entry.py", "test_exit.py", "test_main.py", "test_simulate.py")

_unmarked = ""  # the running test, when it may not start a program


def _audit(event: str, _: tuple[Any, ...]) -> None:
    if _unmarked and event in _STARTS:
        raise AssertionError(f"{_unmarked} starts a program: mark it with @pytest.mark.processes")


sys.addaudithook(_audit)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "processes: starts programs, so it is left out of `make check`")


def _rank(item: pytest.Item) -> int:
    """Return where the file of a test stands in a run."""
    folder = item.path.relative_to(_HERE).parts[0] if item.path.is_relative_to(_HERE) else ""
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `FOLDERS`, and let files with tests that wait for programs start before the others."""
    for item in items:
        if _rank(item) < len(FOLDERS):
            item.add_marker("processes")
    starting = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (_rank(item), item.path not in starting))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse programs that an unmarked test starts; measure the lines of programs only where no other test runs them.

    Measuring doubles what a short program costs.
    """
    global _unmarked  # noqa: PLW0603 # an audit hook stays for the life of the process, and cannot be given a value
    before, measured = _unmarked, os.environ.get(_MEASURES_CHILDREN)
    _unmarked = "" if item.get_closest_marker("processes") else item.nodeid
    if measured is not None and item.path.name not in _WITH_MEASURED_CHILDREN:
        del os.environ[_MEASURES_CHILDREN]
    try:
        return (yield)
    finally:
        _unmarked = before
        if measured is not None:
            os.environ[_MEASURES_CHILDREN] = measured
