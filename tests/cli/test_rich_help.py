"""The import of typer's help pages."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """\
import sys
from cln_monitor.cli.rich_help import import_help_pages
import_help_pages()
assert "typer.rich_utils" in sys.modules
assert not {"rich.markdown", "rich.traceback", "pygments"} & set(sys.modules)
from rich.markdown import Markdown
assert Markdown.__init__ is not object.__init__
import_help_pages()
assert sys.modules["rich.markdown"].Markdown is Markdown
"""


@pytest.mark.processes
def test_the_unused_modules_are_absent_only_meanwhile() -> None:
    """rich.markdown and rich.traceback are not imported for a help page, and can be imported after it."""
    done = subprocess.run([sys.executable, "-P", "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
