"""The sdist and the wheel, built as they are published, and virtual environments with the wheel in them."""

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
"""Where what the project needs is installed for the tests."""

# The backend writes beside the sources, and what is there may be from yesterday.
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "htmlcov", "node_modules")


def locked_releases() -> dict[str, str]:
    """Return the releases of the lock file by name, those for Windows alone left out."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+) \\$", text, re.MULTILINE))


@dataclass(frozen=True)
class Package:
    """The files that are published."""

    sdist: Path
    wheel: Path


def build(folder: Path) -> Package:
    """Build both in ``folder``, without the network: the sdist from the checkout, and the wheel from the sdist."""
    source = folder / "source"
    shutil.copytree(ROOT, source, ignore=_NOT_COPIED)
    sdist = _build("sdist", source, folder)
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    # shutil's way to do it is another one in each Python: the filter came with 3.11.4, its absence warns from 3.12 on.
    subprocess.run(["tar", "--extract", f"--file={sdist}", f"--directory={unpacked}"], check=True, timeout=300)
    (tree,) = unpacked.iterdir()
    return Package(sdist, _build("wheel", tree, folder))


def _build(what: str, source: Path, folder: Path) -> Path:
    code = f"import sys, setuptools.build_meta as backend; print(backend.build_{what}(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], cwd=source, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / done.stdout.splitlines()[-1]


def install(wheel: Path, folder: Path) -> Path:
    """Install ``wheel`` into a new virtual environment, and return the folder of its programs.

    What it needs comes from that of the tests, without what is installed there by a file ``.pth``: the checkout.
    """
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    (site_packages / "needed.pth").write_text(f"{SITE_PACKAGES}\n")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed"]
    subprocess.run([*pip, "--no-cache-dir", str(wheel)], check=True, timeout=300, capture_output=True)
    return folder / "bin"
