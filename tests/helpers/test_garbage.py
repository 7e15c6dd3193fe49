"""What the garbage collector does not look at during the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

IN_A_TEST = """
import gc

parameters = [object() for _ in range(1000)]

def test_garbage():
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000
    assert parameters not in gc.get_objects()
"""


def test_the_tests_are_left_out(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a test garbage is collected, but not among the objects of the collected tests."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest((Path(__file__).parents[1] / "conftest.py").read_text())
    pytester.makepyfile(IN_A_TEST)
    pytester.runpytest().assert_outcomes(passed=1)
