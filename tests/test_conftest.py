"""The option for golden files, and the effect of skipped tests on a run."""

from pathlib import Path

import pytest

SKIPPED = """
import pytest

def test_runs(): pass

@pytest.mark.skip(reason="no such server here")
def test_skipped(): pass
"""

GOLDEN = """
def test_text(golden): golden("page.txt", "one\\ntwo\\n")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project with the conftest of this one."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # importing them anew takes most of a second
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    return pytester


def test_skipped_is_told_last(project: pytest.Pytester) -> None:
    """A run with skipped tests passes, and its last line says why they were skipped."""
    project.makepyfile(SKIPPED)
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.OK
    assert result.outlines[-1] == "1 skipped: no such server here"
    assert "1 passed, 1 skipped" in result.outlines[-2]


def test_skipped_fails_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI=true one skipped test fails the run."""
    monkeypatch.setenv("CI", "true")
    project.makepyfile(SKIPPED)
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.outlines[-1] == "CI=true: nothing may be skipped, so this run failed"


def test_skipped_module_fails_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI=true a module that skips itself fails the run too."""
    monkeypatch.setenv("CI", "true")
    project.makepyfile("import pytest; pytest.importorskip('no_such_module')", test_more="def test_runs(): pass")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.outlines[-2].startswith("1 skipped: could not import 'no_such_module'")


def test_nothing_skipped_in_ci(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under CI=true a run without skipped tests passes and says nothing more."""
    monkeypatch.setenv("CI", "true")
    project.makepyfile("def test_runs(): pass")
    result = project.runpytest()
    assert result.ret == pytest.ExitCode.OK
    assert "1 passed" in result.outlines[-1]


def test_golden_is_missing(project: pytest.Pytester) -> None:
    """A missing golden file fails the test, and the failure names the option."""
    project.makepyfile(GOLDEN)
    result = project.runpytest()
    result.stdout.fnmatch_lines(["tests/golden/page.txt is not there: pytest --update-golden writes it"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_golden_is_written_and_compared(project: pytest.Pytester) -> None:
    """The option writes a golden file, which the next run accepts."""
    project.makepyfile(GOLDEN)
    assert project.runpytest("--update-golden").ret == pytest.ExitCode.OK
    assert (project.path / "golden" / "page.txt").read_bytes() == b"one\ntwo\n"
    assert project.runpytest().ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("stored", "line"),
    [("one\n2\n", "+two"), ("one\r\ntwo\r\n", "they differ in the ends of their lines")],
)
def test_golden_differs(project: pytest.Pytester, stored: str, line: str) -> None:
    """A text that differs fails the test and shows the difference."""
    golden = project.mkdir("golden") / "page.txt"
    golden.write_bytes(stored.encode())
    project.makepyfile(GOLDEN)
    result = project.runpytest()
    result.stdout.fnmatch_lines([line])
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert golden.read_bytes() == stored.encode()
