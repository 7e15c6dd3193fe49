"""Build a .deb from the files of a package."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import shutil
from pathlib import Path

from cln_monitor import __version__
from tools.every_python import run

from .environment import set_times
from .stage import PACKAGING, libraries
from .targets import Settings, Target

_SECONDS = 600.0
_SCRIPTS = ("postinst", "prerm", "postrm")
_CONFIGURATION = "etc/cln-monitor/cln-monitor.yml"


def build(target: Target, stage: Path, settings: Settings, log: Path) -> Path:
    """Write the .deb of the files in `stage` to the directory of the target, and return its path.

    `log` gets the output of the tools.
    """
    to, maintainer, moment = settings
    to /= target.name
    version = f"{__version__}-{target.release}"
    architecture = run(["dpkg", "--print-architecture"], log, _SECONDS).strip()
    documents = stage / "usr/share/doc/cln-monitor"
    names = "\n".join(f" {line}" for line in libraries(stage / "usr/lib/cln-monitor"))
    _fill("copyright.in", documents / "copyright", LIBRARIES=names)
    date = email.utils.formatdate(moment)
    entry = f"  * Release {__version__}; see changelog.gz."
    trailer = f" -- {maintainer.name} <{maintainer.address}>  {date}"  # the format requires the brackets
    changelog = f"cln-monitor ({version}) {target.suite}; urgency=medium\n\n{entry}\n\n{trailer}\n"
    (documents / "changelog.Debian.gz").write_bytes(gzip.compress(changelog.encode(), 9, mtime=0))
    overrides = stage / "usr/share/lintian/overrides/cln-monitor"
    overrides.parent.mkdir(parents=True)
    shutil.copy(PACKAGING / "deb" / "lintian-overrides", overrides)
    control = stage / "DEBIAN"
    control.mkdir()
    (control / "md5sums").write_text(_sums(stage), encoding="utf-8")
    _fill(
        "control.in",
        control / "control",
        VERSION=version,
        ARCHITECTURE=architecture,
        MAINTAINER=str(maintainer),
        PYTHON=target.requires,
        SIZE=str(_kilobytes(stage)),
    )
    (control / "conffiles").write_text(f"/{_CONFIGURATION}\n", encoding="ascii")
    for name in _SCRIPTS:
        shutil.copy(PACKAGING / "deb" / name, control)
    set_times(stage, moment)
    for name in _SCRIPTS:
        (control / name).chmod(0o755)
    (stage / _CONFIGURATION).chmod(0o640)
    to.mkdir(parents=True, exist_ok=True)
    package = to / f"cln-monitor_{version}_{architecture}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(stage), str(package)]
    run(["env", f"SOURCE_DATE_EPOCH={moment}", *command], log, _SECONDS)
    return package


def _fill(template: str, to: Path, **values: str) -> None:
    text = (PACKAGING / "deb" / template).read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    to.write_text(text, encoding="utf-8")


def _sums(stage: Path) -> str:
    files = [path for path in sorted(stage.rglob("*")) if path.is_file() and not path.is_symlink()]
    names = [path.relative_to(stage).as_posix() for path in files]
    return "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {name}\n"
        for path, name in zip(files, names, strict=True)
        if name != _CONFIGURATION
    )


def _kilobytes(stage: Path) -> int:
    return sum(-(-path.lstat().st_size // 1024) for path in stage.rglob("*"))
