"""Build an .rpm from the files of a package."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from cln_monitor import __version__
from tests.helpers.package import ROOT
from tools.every_python import run

from .environment import set_times
from .root_file_systems import MissingToolError
from .stage import PACKAGING, libraries
from .targets import Settings, Target

_SECONDS = 600.0


def build(target: Target, stage: Path, settings: Settings, log: Path) -> Path:
    """Write the .rpm of the files in `stage` to the directory of the target, and return its path.

    `log` gets the output of the tools.
    """
    to, maintainer, moment = settings
    to /= target.name
    if shutil.which("rpmbuild") is None:
        raise MissingToolError("rpmbuild is missing: apt install rpm")
    licenses = stage / "usr/share/licenses/cln-monitor"
    licenses.mkdir(parents=True)
    shutil.copy(ROOT / "LICENSE", licenses)
    names = "".join(f"{line}\n" for line in libraries(stage / "usr/lib/cln-monitor"))
    about = "Libraries in /usr/lib/cln-monitor, which also contains their licenses:"
    (licenses / "LIBRARIES").write_text(f"{about}\n\n{names}", encoding="utf-8")
    functions = stage / "usr/share/zsh/site-functions"
    (stage / "usr/share/zsh/vendor-completions").rename(functions)  # Debian's name
    set_times(stage, moment)
    work = stage.parent / "rpmbuild"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    text = (PACKAGING / "rpm" / "cln-monitor.spec.in").read_text("utf-8")
    values = {
        "VERSION": __version__,
        "RELEASE": target.release,
        "PYTHON": target.requires,
        "MAINTAINER": str(maintainer),
        "STAGE": str(stage),
        "DATE": datetime.fromtimestamp(moment, UTC).strftime("%a %b %d %Y"),
    }
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    spec = work / "cln-monitor.spec"
    spec.write_text(text, encoding="utf-8")
    command = ["rpmbuild", "-bb", "--quiet", f"--define=_topdir {work}", "--define=_source_filedigest_algorithm 8"]
    run(["env", f"SOURCE_DATE_EPOCH={moment}", *command, str(spec)], log, _SECONDS)
    (package,) = (work / "RPMS").rglob("*.rpm")
    to.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(package, to / package.name))
