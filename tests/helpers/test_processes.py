"""Tests that start programs are marked and run first, and each test is run either with coverage or without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STARTS = """
import pytest, subprocess, sys

{marker}
def test_starts(): subprocess.run([sys.executable, "-c", ""], check=True)
"""
RUNS = "def test_runs(): pass"
MANY = """
import hypothesis, pytest
from hypothesis import strategies

@hypothesis.given(strategies.integers())
def test_many(number): pass

@pytest.mark.{marker}
def test_program(): pass

def test_one(): pass
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return an empty project with the conftest of this one."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text())
    return pytester


def test_unmarked_test_must_not_start_a_program(project: pytest.Pytester) -> None:
    """A test that starts a program without the marker fails and says what to do."""
    project.makepyfile(STARTS.format(marker=""))
    result = project.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*test_starts starts a program: mark it with @pytest.mark.processes"])


@pytest.mark.processes
def test_marked_test_may_start_a_program(project: pytest.Pytester) -> None:
    """A test with the marker can start a program, unless the run excludes such tests."""
    project.makepyfile(STARTS.format(marker="@pytest.mark.processes"))
    project.runpytest().assert_outcomes(passed=1)
    project.runpytest("-m", "not processes").assert_outcomes(deselected=1)


@pytest.mark.processes
def test_files_that_start_programs_run_first(project: pytest.Pytester) -> None:
    """Files with tests that start programs run first, so that waiting overlaps."""
    project.makepyfile(test_a=RUNS, test_b=RUNS + STARTS.format(marker="@pytest.mark.processes"))
    names = [line.split()[0] for line in project.runpytest("-v", "-o", "addopts=").outlines if "PASSED" in line]
    assert names == ["test_b.py::test_runs", "test_b.py::test_starts", "test_a.py::test_runs"]


@pytest.mark.parametrize(
    ("marker", "unmeasured"), [("processes", {"test_many", "test_program"}), ("measured", {"test_many"})]
)
def test_what_is_measured(marker: str, unmeasured: set[str], project: pytest.Pytester) -> None:
    """Tests that start programs or try many inputs are not measured unless they are marked."""
    project.makepyfile(MANY.format(marker=marker))
    for run, names in (
        ("unmeasured", unmeasured),
        ("not unmeasured", {"test_many", "test_program", "test_one"} - unmeasured),
    ):
        lines = project.runpytest("-v", "-m", run).outlines
        assert {line.split("::")[1].split()[0] for line in lines if "PASSED" in line} == names


@pytest.mark.processes
def test_tests_of_real_servers_are_marked() -> None:
    """A run without marked tests excludes all tests in a directory of `DIRECTORIES`."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-m", "not processes", "tests/soak"]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    assert "1 deselected" in done.stdout
