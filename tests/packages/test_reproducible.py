"""The same sources result in the same packages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.package import ROOT

from .machines import package_of


def content(package: Path) -> dict[str, str]:
    """Return the listing of a package with modes, sizes and times, by path, for the report of a failure."""
    command = ["dpkg-deb", "--contents"] if package.suffix == ".deb" else ["rpm", "--query", "--package", "--dump"]
    done = subprocess.run([*command, str(package)], capture_output=True, text=True, timeout=300, check=True)
    return {line.split()[-1]: line for line in done.stdout.splitlines()}


@pytest.mark.parametrize("name", ["debian12", "el9"])
def test_a_second_build_is_the_same(name: str, tmp_path: Path) -> None:
    """A build in another time zone, with another umask and hash seed, results in the same bytes."""
    first = package_of(name)
    environment = os.environ | {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tools.packages", f"--to={tmp_path / 'dist'}", name],
        cwd=ROOT,
        env=environment,
        umask=0o077,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    (second,) = (tmp_path / "dist" / name).iterdir()
    assert second.name == first.name
    if second.read_bytes() != first.read_bytes():
        ours, theirs = content(first), content(second)
        differing = sorted(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
        pytest.fail(f"the packages differ; their lists differ in {differing[:20]}", pytrace=False)
