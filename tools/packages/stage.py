"""The files of a package, below a directory that represents the root."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.helpers.package import ROOT

from . import completion, html, man_pages, units
from .environment import PREFIX, set_times
from .targets import Target

PACKAGING = ROOT / "packaging"
_DOCUMENTS = "usr/share/doc/cln-monitor"
_FILES = "usr/share/cln-monitor"
_UNITS = "usr/lib/systemd/system"


def documents(moment: int) -> dict[str, bytes]:
    """Return the files that are the same in all packages and are generated, by path: documentation and completion."""
    files = {f"usr/share/man/man1/{name}.gz": _gzipped(page.encode()) for name, page in man_pages.pages(moment).items()}
    files |= {name: script.encode() for name, script in completion.files().items()}
    files |= {f"{_DOCUMENTS}/html/{name}": content for name, content in html.pages(ROOT).items()}
    return files | {f"{_DOCUMENTS}/changelog.gz": _gzipped((ROOT / "CHANGELOG.md").read_bytes())}


def make(target: Target, environment: Path, documents: Mapping[str, bytes], stage: Path, moment: int) -> None:
    """Create all files of the package for `target` below `stage`, including `documents`, with the time `moment`."""
    shutil.rmtree(stage, ignore_errors=True)
    prefix = stage / PREFIX.relative_to("/")
    prefix.parent.mkdir(parents=True)
    shutil.copytree(environment, prefix, symlinks=True)
    for about in prefix.glob("lib/*/site-packages/*.dist-info"):  # several packages are made of one environment
        (about / "INSTALLER").write_text("dpkg\n" if target.is_deb else "rpm\n", encoding="ascii")
    _programs(target, prefix, stage)
    _bundled_files(prefix, stage)
    _write(stage, "usr/lib/sysusers.d/cln-monitor.conf", (PACKAGING / "sysusers.conf").read_bytes())
    sample = (ROOT / "systemd" / "cln-monitor.yml").read_text("utf-8")
    _write(stage, "etc/cln-monitor/cln-monitor.yml", units.configuration(sample).encode())
    for name, content in documents.items():
        _write(stage, name, content)
    set_times(stage, moment)
    (stage / "etc/cln-monitor/cln-monitor.yml").chmod(0o640)


def _programs(target: Target, prefix: Path, stage: Path) -> None:
    plugins = stage / target.plugins.removeprefix("/")
    commands = stage / "usr" / "bin"
    plugins.mkdir(parents=True)
    commands.mkdir(parents=True)
    for program in sorted((prefix / "bin").iterdir()):
        if program.is_symlink():
            continue
        is_command = program.name in {"cln-exporter", "cln-feed", "clntool"}
        program.rename((commands if is_command else plugins) / program.name)
    register = "register_cln_monitoring_key"
    (commands / register).symlink_to(f"../{target.plugins.removeprefix('/usr/')}/{register}")


def _bundled_files(prefix: Path, stage: Path) -> None:
    """Move the files of the wheel to /usr/share, with a symbolic link for `clntool files`."""
    (package,) = prefix.glob("lib/python3*/site-packages/cln_monitor")
    files = stage / _FILES
    files.parent.mkdir(parents=True, exist_ok=True)
    (package / "files").rename(files)
    (package / "files").symlink_to(os.path.relpath(files, package))
    for file in sorted((files / "systemd").iterdir()):
        text = file.read_text("utf-8")
        if file.name == "cln-monitor.yml":
            file.write_text(units.configuration(text), encoding="utf-8")
        elif file.name == "cln-feed.yml":
            file.write_text(units.feed_configuration(text), encoding="utf-8")
        elif file.suffix in {".service", ".socket", ".timer"}:
            _write(stage, f"{_UNITS}/{file.name}", units.unit(file.name, text).encode())
            file.unlink()


def libraries(environment: Path) -> list[str]:
    """Return a line for each library in the environment: its name, version and license."""
    lines = []
    for about in sorted(environment.glob("lib/python3*/site-packages/*.dist-info")):
        header = (about / "METADATA").read_text("utf-8").partition("\n\n")[0]
        fields = dict(re.findall(r"(?m)^(Name|Version|License-Expression|License): (.+)$", header))
        license_ = fields.get("License-Expression") or fields.get("License") or _classified(header)
        if fields["Name"] != "cln-monitor":
            lines.append(f"{fields['Name']} {fields['Version']} ({license_})")
    return lines


def _classified(header: str) -> str:
    found = re.findall(r"(?m)^Classifier: License :: (?:OSI Approved :: )?(.+)$", header)
    return ", ".join(found) or "see its directory"


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _write(stage: Path, name: str, content: bytes) -> None:
    file = stage / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
