"""Build packages for distributions: ``python -m tools.packages [DISTRIBUTION...]``, all of them by default.

They are written to ``dist/DISTRIBUTION``. Root file systems and wheels are kept in ``build/packages`` for the next run.
DEBFULLNAME and DEBEMAIL set the maintainer; without them it is the authors, who have no address. All files have the
time SOURCE_DATE_EPOCH, or that of the last commit, so that the same sources result in the same packages.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tests.helpers.package import ROOT
from tools.every_python import StepFailedError, report

from . import deb, environment, rpm, stage, wheels
from .root_file_systems import MissingToolError
from .targets import TARGETS, Maintainer, Settings, Target

WORK = ROOT / "build" / "packages"
_AUTHORS = "The cln-monitor authors"  # as in LICENSE and docs/conf.py


class SettingsError(Exception):
    """A variable of the environment is missing or contradicts another one."""


def build(names: list[str], to: Path) -> list[Path]:
    """Build the packages of the distributions `names` below the directory `to`, as many at a time as there are CPUs.

    Returns their paths. Distributions with the same Python share an environment.
    """
    settings = Settings(to, maintainer(), _moment())
    os.umask(0o022)
    WORK.mkdir(parents=True, exist_ok=True)
    project = wheels.of_project(WORK / "project")
    documents = stage.documents(settings.moment)
    targets = [TARGETS[name] for name in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        environments: dict[tuple[str, str | None], Future[Path]] = {}
        for target in targets:
            if target.environment not in environments:
                environments[target.environment] = pool.submit(_environment, target, project, settings)
        # The environments are first in the queue, so no package waits for one that has no thread.
        packages = [
            pool.submit(_package, target, environments[target.environment], documents, settings) for target in targets
        ]
        return [package.result() for package in packages]


def _environment(target: Target, project: Path, settings: Settings) -> Path:
    downloaded = WORK / f"wheels-{target.python}"
    work = WORK / f"environment-{target.python}"
    work.mkdir(exist_ok=True)
    wheels.download(target.python, downloaded, work / "download.log")
    return environment.build(target, downloaded, project, work, settings.moment)


def _package(target: Target, environment: Future[Path], documents: Mapping[str, bytes], settings: Settings) -> Path:
    built = environment.result()
    started = time.monotonic()
    work = WORK / target.name
    work.mkdir(exist_ok=True)
    stage.make(target, built, documents, work / "stage", settings.moment)
    for old in (settings.to / target.name).glob(f"*.{target.kind}"):
        old.unlink()
    pack = deb.build if target.is_deb else rpm.build
    package = pack(target, work / "stage", settings, work / "package.log")
    report(f"{package}: {package.stat().st_size / 1e6:.1f} MB in {time.monotonic() - started:.0f} s")
    return package


def maintainer() -> Maintainer:
    """Return the maintainer of the environment, or the authors. Raises SettingsError."""
    name, address = os.environ.get("DEBFULLNAME"), os.environ.get("DEBEMAIL")
    if bool(name) != bool(address):
        raise SettingsError("set both DEBFULLNAME and DEBEMAIL, or neither")
    return Maintainer(name or _AUTHORS, address or "")


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
    try:
        build(options.distributions or list(TARGETS), options.to)
    except (MissingToolError, SettingsError, StepFailedError) as error:
        report(f"no packages: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
