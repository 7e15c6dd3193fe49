"""Build packages for distributions: ``python -m tools.packages [DISTRIBUTION...]``, all of them by default.

They are written to ``dist/DISTRIBUTION``. Root file systems and wheels are kept in ``build/packages`` for the next run.
DEBFULLNAME and DEBEMAIL set the maintainer. All files have the time SOURCE_DATE_EPOCH, or that of the last commit.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.package import ROOT
from tools.every_python import StepFailedError, report

from . import deb, environment, rpm, stage, wheels
from .root_file_systems import MissingToolError
from .targets import TARGETS, Settings, Target

WORK = ROOT / "build" / "packages"
_NAME, _ADDRESS = "cln-monitor maintainers", "cln-monitor@example.com"


def build(names: list[str], to: Path) -> list[Path]:
    """Build the packages of the distributions `names` below the directory `to`, and return their paths."""
    WORK.mkdir(parents=True, exist_ok=True)
    log = WORK / "packages.log"
    log.write_bytes(b"")
    maintainer = f"{os.environ.get('DEBFULLNAME') or _NAME} <{os.environ.get('DEBEMAIL') or _ADDRESS}>"
    settings = Settings(to, maintainer, _moment(), log)
    project = wheels.of_project(WORK / "project")
    built: dict[tuple[str, str | None], Path] = {}
    packages = []
    for target in (TARGETS[name] for name in names):
        started = time.monotonic()
        work = WORK / target.name
        work.mkdir(exist_ok=True)
        key = (target.python, target.suite)
        if key not in built:
            downloaded = WORK / f"wheels-{target.python}"
            wheels.download(target.python, downloaded, log)
            built[key] = environment.build(target, downloaded, project, work, settings.moment)
        stage.make(target, built[key], work / "stage", settings.moment)
        packages.append(_pack(target, work / "stage", settings))
        size = packages[-1].stat().st_size / 1e6
        report(f"{packages[-1]}: {size:.1f} MB in {time.monotonic() - started:.0f} s")
    return packages


def _pack(target: Target, files: Path, settings: Settings) -> Path:
    for old in (settings.to / target.name).glob(f"*.{target.kind}"):
        old.unlink()
    return deb.build(target, files, settings) if target.is_deb else rpm.build(target, files, settings)


def _moment() -> int:
    """Return the time of all files, so that the same sources result in the same package."""
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(epoch)
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else int(time.time())


def main() -> int:
    """Build the packages given on the command line, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.packages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("distributions", nargs="*", metavar="DISTRIBUTION", help=f"one of {', '.join(TARGETS)}")
    parser.add_argument(
        "--to", type=Path, default=ROOT / "dist", metavar="DIRECTORY", help="write to DIRECTORY instead of dist"
    )
    options = parser.parse_args()
    unknown = [name for name in options.distributions if name not in TARGETS]
    if unknown:
        parser.error(f"unknown distribution {', '.join(unknown)}: use {', '.join(TARGETS)}")
    os.umask(0o022)
    try:
        build(options.distributions or list(TARGETS), options.to)
    except (MissingToolError, StepFailedError) as error:
        report(f"no packages: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
