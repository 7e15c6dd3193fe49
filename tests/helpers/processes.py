"""A pytest plugin: which tests start programs, and which are run without coverage.

Tests in the folders of `FOLDERS` start programs, all others have the marker `processes` where they do: `make check`
leaves them out, `make test` starts with them. A test that starts a program without it fails, so the marker cannot be
forgotten. No test of these folders is measured, so a run of what is measured, or starts no programs, does not even read
their files.

Coverage makes a test take twice the time. Tests that start programs, or that try many inputs, run the same lines as
others, so `make test` does not measure them; the few that are the only ones of their lines have the marker `measured`.
"""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

FOLDERS = ("real", "faults", "soak", "packages")
"""Folders whose tests start programs, all of them; the longest first."""
ASKED_FOR = "packages"
"""The folder whose tests are in a run that names it, and in no other: they need what `make packages` builds."""

_TESTS = Path(__file__).parents[1]
_STARTS = ((subprocess.Popen, "__init__"), (os, "fork"), (os, "forkpty"), (os, "posix_spawn"), (os, "posix_spawnp"))
_MARKERS = (
    "processes: starts programs, so it is left out of `make check`",
    "measured: runs lines that no other test runs, though it starts programs or tries many inputs",
    "unmeasured: runs without coverage; tests that start programs, and those of hypothesis, have it by themselves",
)

_unmarked = ""  # the running test, when it may not start a program


def _refusing(start: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``start`` for those that may call it."""

    @functools.wraps(start)
    def refusing(*arguments: Any, **named: Any) -> Any:
        if _unmarked:
            raise AssertionError(f"{_unmarked} starts a program: mark it with @pytest.mark.processes")
        return start(*arguments, **named)

    return refusing


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and mind what starts programs."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    # Not by an audit hook: coverage and many threads do not go together with one.
    patch = pytest.MonkeyPatch()
    for owner, name in _STARTS:
        patch.setattr(owner, name, _refusing(getattr(owner, name)))
    config.add_cleanup(patch.undo)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a folder none of whose tests is in the run."""
    if collection_path == _TESTS / ASKED_FOR:
        return None if any(ASKED_FOR in Path(each.partition("::")[0]).parts for each in config.args) else True
    is_left_out = config.getoption("markexpr") in {"not processes", "not unmeasured"}
    return True if is_left_out and collection_path.parent == _TESTS and collection_path.name in FOLDERS else None


@functools.cache
def _rank(file: Path) -> int:
    """Return where the file of a test stands in a run."""
    folder = file.relative_to(_TESTS).parts[0] if file.is_relative_to(_TESTS) else ""
    return FOLDERS.index(folder) if folder in FOLDERS else len(FOLDERS)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Set the markers that tests have by themselves, and let files whose tests wait for programs start first."""
    for item in items:
        if _rank(item.path) < len(FOLDERS):
            item.add_marker("processes")
            if item.get_closest_marker("measured"):
                raise pytest.UsageError(f"{item.nodeid}: no test of this folder can be measured")
        many = item.get_closest_marker("processes") or is_hypothesis_test(getattr(item, "function", None))
        if many and not item.get_closest_marker("measured"):
            item.add_marker("unmeasured")
    starting = {item.path for item in items if item.get_closest_marker("processes")}
    items.sort(key=lambda item: (_rank(item.path), item.path not in starting))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Refuse programs that an unmarked test starts."""
    global _unmarked  # noqa: PLW0603 # what starts a program is told nothing of the test
    before = _unmarked
    _unmarked = "" if item.get_closest_marker("processes") else item.nodeid
    try:
        return (yield)
    finally:
        _unmarked = before
