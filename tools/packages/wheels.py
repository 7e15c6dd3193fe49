"""The wheels in the packages: those of the lock file, and that of the project."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from tests.helpers.package import ROOT, build
from tools.every_python import run

LOCK = ROOT / "requirements.lock"
_DOWNLOAD_SECONDS = 600.0

# EL 8 has the oldest glibc, 2.28. pip does not infer older platforms, so all are listed.
_NEWEST_GLIBC, _OLDEST_GLIBC = 28, 17


def platforms() -> list[str]:
    """Return the platforms whose wheels run on all distributions."""
    machine = platform.machine()
    numbers = range(_NEWEST_GLIBC, _OLDEST_GLIBC - 1, -1)
    return [*(f"manylinux_2_{number}_{machine}" for number in numbers), f"manylinux2014_{machine}"]


def download(python: str, to: Path, log: Path) -> None:
    """Download the wheels of the lock file for the Python `python`, such as 3.11, to the directory `to`.

    pip checks their hashes.
    """
    fresh = to.with_name(f"{to.name}.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    if to.is_dir():  # do not download wheels again
        shutil.copytree(to, fresh)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    pip += ["--require-hashes", f"--requirement={LOCK}", "--only-binary=:all:", f"--python-version={python}"]
    pip += [f"--platform={name}" for name in platforms()]
    run([*pip, f"--find-links={fresh}", f"--dest={fresh}"], log, _DOWNLOAD_SECONDS)
    shutil.rmtree(to, ignore_errors=True)
    fresh.rename(to)


def of_project(work: Path) -> Path:
    """Build the wheel of the project in `work`, which is cleared first, and return its path."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    return build(work).wheel
