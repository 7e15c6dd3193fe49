"""The sdist and the wheel as they are published, and virtual environments with the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
"""The directory of the installed dependencies of the tests."""

# The backend writes beside the sources, and what is there may be from yesterday.
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "htmlcov", "node_modules")


def locked_releases() -> dict[str, str]:
    """Return the releases in the lock file by name, without those for Windows only."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+) \\$", text, re.MULTILINE))


@dataclass(frozen=True)
class Package:
    """The published files."""

    sdist: Path
    wheel: Path


def build(directory: Path) -> Package:
    """Build the sdist from the checkout, and the wheel from the sdist, in ``directory``, without network access."""
    source = directory / "source"
    shutil.copytree(ROOT, source, ignore=_NOT_COPIED)
    sdist = _build("sdist", source, directory)
    unpacked = directory / "unpacked"
    unpacked.mkdir()
    # shutil's way to do it is another one in each Python: the filter came with 3.11.4, its absence warns from 3.12 on.
    subprocess.run(["tar", "--extract", f"--file={sdist}", f"--directory={unpacked}"], check=True, timeout=300)
    (tree,) = unpacked.iterdir()
    return Package(sdist, _build("wheel", tree, directory))


def _build(target: str, source: Path, directory: Path) -> Path:
    code = f"import sys, setuptools.build_meta as backend; print(backend.build_{target}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(directory)],
        cwd=source,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory / done.stdout.splitlines()[-1]


def install(wheel: Path, directory: Path) -> Path:
    """Install ``wheel`` into a new virtual environment, and return the directory of its programs.

    Its dependencies are those of the tests' environment, without the checkout, which a ``.pth`` file adds there.
    """
    venv.create(directory, symlinks=True)
    python = directory / "bin" / "python"
    (site_packages,) = directory.glob("lib/python3*/site-packages")
    (site_packages / "needed.pth").write_text(f"{SITE_PACKAGES}\n")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    subprocess.run([*pip, "--no-cache-dir", str(wheel)], check=True, timeout=300, capture_output=True)
    return directory / "bin"
