"""A pytest plugin: which tests start programs, and which tests are run without coverage.

Tests in the directories of `DIRECTORIES` start programs, and other tests that do so have the marker `processes`. `make
check` leaves them out, and `make test` starts with them. A test that starts a program without the marker fails, so
that it cannot be forgotten. The tests of these directories are never measured, so that their files are not even read
in a run of measured tests or of tests without programs.

Coverage doubles the duration of a test. Tests that start programs or try many inputs run the same lines as others, so
`make test` does not measure them, and `make check` leaves them out; the few tests that are the only ones to run some
lines have the marker `measured`. Tests of what is not in the package are not measured either.
"""

from __future__ import annotations

import functools
import multiprocessing.process
import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

DIRECTORIES = ("faults", "real", "soak", "packages", "next_release")
"""Directories in which all tests start programs; first the one with the slowest file, which one process runs alone."""
ON_REQUEST = ("packages", "next_release")
"""Directories whose tests run only if the command line names them.

They need what `make packages` builds, and the servers of Debian's next release.
"""

BESIDE_THE_PACKAGE = ("containers", "dashboards", "fuzz", "helpers", "tools")
"""Directories whose tests are about other code than that of `cln_monitor`."""

_TESTS = Path(__file__).parents[1]
_STARTS = (
    (subprocess.Popen, "__init__"),
    (multiprocessing.process.BaseProcess, "start"),
    *((os, name) for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp")),
)
_LEFT_OUT = {
    "not processes": DIRECTORIES,
    "not processes and not many_inputs": DIRECTORIES,
    "not unmeasured": DIRECTORIES + BESIDE_THE_PACKAGE,
}
"""By the tests that are selected: the directories that have none of them."""
_MARKERS = (
    "processes: starts programs, so it is left out of `make check`",
    "measured: runs lines that no other test runs, though it starts programs or tries many inputs",
    "many_inputs: tries many inputs, so it is left out of `make check`; tests of hypothesis have it automatically",
    "unmeasured: runs without coverage; tests that start programs or try many inputs have it automatically",
)

_unmarked = ""  # the running test, when it may not start a program


def _refusing(start: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``start``, with a check that the current test may start programs."""

    @functools.wraps(start)
    def refusing(*arguments: Any, **named: Any) -> Any:
        if _unmarked:
            raise AssertionError(f"{_unmarked} starts a program: mark it with @pytest.mark.processes")
        return start(*arguments, **named)

    return refusing


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and check calls that start programs."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    # Not by an audit hook: coverage and many threads do not go together with one.
    patch = pytest.MonkeyPatch()
    for owner, name in _STARTS:
        patch.setattr(owner, name, _refusing(getattr(owner, name)))
    config.add_cleanup(patch.undo)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Ignore a directory none of whose tests is in the run."""
    if collection_path.parent == _TESTS and (name := collection_path.name) in ON_REQUEST:
        return None if any(name in Path(each.partition("::")[0]).parts for each in config.args) else True
    left_out = _LEFT_OUT.get(config.getoption("markexpr"), ())
    return True if collection_path.parent == _TESTS and collection_path.name in left_out else None


@functools.cache
def _directory(file: Path) -> str:
    """Return the directory of a test's file, or an empty string for a test that is elsewhere."""
    return file.relative_to(_TESTS).parts[0] if file.is_relative_to(_TESTS) else ""


def _rank(file: Path) -> int:
    """Return the position of a test's file in a run."""
    directory = _directory(file)
    return DIRECTORIES.index(directory) if directory in DIRECTORIES else len(DIRECTORIES)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the implied markers, and run files first whose tests wait for programs."""
    for item in items:
        directory = _directory(item.path)
        if directory in DIRECTORIES:
            item.add_marker("processes")
        if item.get_closest_marker("measured"):
            if directory in DIRECTORIES + BESIDE_THE_PACKAGE:
                raise pytest.UsageError(f"{item.nodeid}: no test of this directory can be measured")
            continue
        if is_hypothesis_test(getattr(item, "function", None)):
            item.add_marker("many_inputs")
        is_beside = directory in BESIDE_THE_PACKAGE
        if is_beside or item.get_closest_marker("processes") or item.get_closest_marker("many_inputs"):
            item.add_marker("unmeasured")
    starting = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (_rank(item.path), item.path not in starting))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse programs that a test without the marker starts."""
    global _unmarked  # noqa: PLW0603 # the wrapper of Popen has no access to the test
    before = _unmarked
    _unmarked = "" if item.get_closest_marker("processes") else item.nodeid
    try:
        return (yield)
    finally:
        _unmarked = before
