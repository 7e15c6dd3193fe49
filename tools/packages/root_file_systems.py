"""Root file systems of Debian suites, in which environments are built with the Python of the suite."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path

from tools.every_python import report, run

_SECONDS = 600.0


class MissingToolError(Exception):
    """This machine cannot build packages, with the reason."""


def make(suite: str, to: Path, included: str, log: Path) -> Path:
    """Return the root file system of `suite` at `to`; create it with the packages `included` if it is missing.

    Other processes that want the same one wait until it is complete.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.with_name(f"{to.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make(suite, to, included, log)


def _make(suite: str, to: Path, included: str, log: Path) -> Path:
    marker = to / "etc" / "debian_version"
    wanted = to.with_suffix(".packages")
    if marker.exists() and wanted.exists() and wanted.read_text("ascii") == included:
        return to
    if os.getuid() != 0:
        raise MissingToolError("only root can create the root file systems that packages are built in")
    if shutil.which("mmdebstrap") is None:
        raise MissingToolError("mmdebstrap is missing: apt install mmdebstrap")
    shutil.rmtree(to, ignore_errors=True)
    started = time.monotonic()
    # Package lists of testing that a mirror has not updated for a week are good enough.
    options = ['--aptopt=Acquire::Check-Valid-Until "false"'] if suite == "testing" else []
    run(["mmdebstrap", "--variant=minbase", f"--include={included}", *options, suite, str(to)], log, _SECONDS)
    wanted.write_text(included, encoding="ascii")
    report(f"created a root file system of {suite} in {time.monotonic() - started:.0f} s")
    return to
