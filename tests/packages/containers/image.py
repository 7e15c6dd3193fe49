"""The image, built by buildah from a root file system of Debian, without a registry and without a package index."""

from __future__ import annotations

import fcntl
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.helpers.package import ROOT
from tools.every_python import run
from tools.packages import wheels
from tools.packages.root_file_systems import make

WORK = ROOT / "build" / "containers"
CONTAINERFILE = ROOT / "packaging" / "container" / "Containerfile"
SUITE, PYTHON = "trixie", "3.13"
"""The release of Debian, and its Python, of the default base image."""

_SECONDS = 900.0


class Image:
    """The image, with its configuration and a writable copy of its files at ``root``; one process at a time has it."""

    def __init__(self) -> None:
        self._log = WORK / "build.log"
        WORK.mkdir(parents=True, exist_ok=True)
        self._lock = (WORK / "lock").open("wb")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        base = make(SUITE, WORK / SUITE, "python3,python3-venv,ca-certificates", self._log)
        (WORK / "base").mkdir(exist_ok=True)
        run(["tar", "--create", f"--file={WORK}/base/rootfs.tar", f"--directory={base}", "."], self._log, _SECONDS)
        (WORK / "base" / "Containerfile").write_text("FROM scratch\nADD rootfs.tar /\n", encoding="ascii")
        self._buildah("build", "--tag=localhost/base", str(WORK / "base"))
        found = self._wheels()
        options = "--no-index " + " ".join(f"--find-links=/wheels/{name}" for name in found)
        arguments = [f"--build-arg={argument}" for argument in ("BASE=localhost/base", f"PIP_OPTIONS={options}")]
        mounts = [f"--volume={path}:/wheels/{name}:ro" for name, path in found.items()]
        self._buildah(
            *("build", "--format=docker", "--isolation=chroot", *arguments, *mounts),
            *(f"--file={CONTAINERFILE}", "--tag=localhost/cln-monitor", str(ROOT)),
        )
        inspected = json.loads(self._buildah("inspect", "--type=image", "localhost/cln-monitor"))
        self.config: dict[str, Any] = inspected["Docker"]["config"]
        self._container = self._buildah("from", "localhost/cln-monitor").strip()
        self.root = Path(self._buildah("mount", self._container).strip())

    def remove(self) -> None:
        """Remove the image, its base and the copy of its files."""
        self._buildah("rm", "--all")
        self._buildah("rmi", "--all", "--force")
        self._lock.close()

    def _buildah(self, *arguments: str) -> str:
        storage = [f"--root={WORK}/storage", f"--runroot={WORK}/run", "--storage-driver=vfs"]
        done = subprocess.run(
            ["buildah", *storage, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        with self._log.open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _wheels(self) -> dict[str, Path]:
        """Download the locked wheels, and return their directories by name."""
        wheels.download(PYTHON, WORK / "locked", self._log)
        lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
        (locked,) = re.findall(r"(?m)^setuptools==.*(?:\n {4}.*)+", lock)
        (WORK / "setuptools.lock").write_text(locked, encoding="ascii")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        pip += [f"--requirement={WORK}/setuptools.lock", "--only-binary=:all:", f"--dest={WORK}/setuptools"]
        run([*pip, f"--find-links={WORK}/setuptools"], self._log, _SECONDS)
        return {"locked": WORK / "locked", "setuptools": WORK / "setuptools"}
