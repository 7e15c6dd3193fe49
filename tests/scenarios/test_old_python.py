"""With a Python that is too old, pip and the plugins report the required version and how to install it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.package import ROOT

pytestmark = pytest.mark.processes

_AS_OLD = """\
import runpy, sys
sys.version_info = (3, 9, 18, "final", 0)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
_NEEDED = "needs Python 3.11 or newer"
_PLUGINS = sorted(path for path in (ROOT / "plugins").iterdir() if path.is_file() and not path.suffix)


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _AS_OLD, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("plugin", _PLUGINS, ids=lambda path: path.name)
def test_a_plugin_says_which_python_it_needs(plugin: Path) -> None:
    """It prints one line with the package to install on EL, and returns UNKNOWN."""
    done = _run(str(plugin))
    assert (done.returncode, done.stderr) == (3, "")
    assert done.stdout == f"UNKNOWN - {_NEEDED}; on EL 8 and 9: dnf install python3.11\n"


def test_pip_says_which_python_is_needed() -> None:
    """setup.py, which pip runs first, prints a message instead of a syntax error."""
    done = _run(str(ROOT / "setup.py"), "--version")
    assert (done.returncode, done.stdout) == (1, "")
    assert _NEEDED in done.stderr
    assert "dnf install python3.11" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("file", [ROOT / "setup.py", *_PLUGINS], ids=lambda path: path.name)
def test_an_old_python_can_read_the_file(file: Path) -> None:
    """Its syntax is valid in Python 3.6, the version of EL 8, which could not print the message otherwise."""
    ast.parse(file.read_text("utf-8"), feature_version=(3, 6))
