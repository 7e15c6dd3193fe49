"""Build the package: everything else is in pyproject.toml.

Any Python 3 can run this file, so that one that is too old reports the required version instead of a syntax error.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 # an older Python runs this line, too
    sys.exit(
        "cln-monitor needs Python 3.11 or newer, and this is Python %d.%d. "  # noqa: UP031 # valid in each Python 3
        "On EL 8 and 9: dnf install python3.11" % sys.version_info[:2]
    )

import runpy
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent


class BuildWithFiles(build_py):
    """Copy the rules, dashboards, units and definitions into the package, for `clntool files`."""

    def run(self) -> None:
        """Build the modules and copy the files, which an editable installation reads from the checkout."""
        super().run()
        if self.editable_mode:
            return
        table = runpy.run_path(str(ROOT / "cln_monitor" / "bundled_files.py"))
        for name, file in table["files_of_checkout"](ROOT).items():
            target = Path(self.build_lib, "cln_monitor", "files", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


setup(cmdclass={"build_py": BuildWithFiles})
