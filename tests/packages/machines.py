"""Machines with a booted systemd, on which packages are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cln_monitor.simulator import Simulator
from tests.helpers.package import ROOT
from tests.helpers.running import wait_until
from tests.helpers.systemd import Machine
from tools.packages.root_file_systems import make

DIST = ROOT / "dist"
WORK = ROOT / "build" / "packages"
PACKAGE = "/root/cln-monitor"
"""The path of the packages on a machine, to which a name and a suffix are added."""
CONFIG = "/etc/cln-monitor/cln-monitor.yml"
ADDRESS = "http://127.0.0.1:10099"
LOWER = "0.0.9"
"""The version that the package is upgraded from."""

_INCLUDED = "python3,systemd,systemd-sysv,dbus,man-db,curl"
_OF_EL = "rpm,dnf,createrepo-c"
_BASE_SPEC = """\
Name: debian-base
Version: 1
Release: 1
Summary: What Debian has under other names
License: MIT
BuildArch: noarch
Provides: python3.11 glibc = 2.36 systemd = 252 shadow-utils /bin/sh
%description
%files
"""
_CLN = """\
[Service]
ExecStart=/usr/bin/clntool simulate --listen 127.0.0.1:8099
"""


def package_of(distribution: str) -> Path:
    """Return the package of a distribution that `make packages` has built."""
    found = [*(DIST / distribution).glob("*.deb"), *(DIST / distribution).glob("*.rpm")]
    assert len(found) == 1, f"expected one package in {DIST / distribution}, found {len(found)}: make packages"
    return found[0]


def with_version(package: Path, version: str, to: Path, *, state_format: int | None = None) -> Path:
    """Return a copy of a .deb whose programs and control file have the given `version`.

    Its exporter reads and writes state in `state_format`, if that is given.
    """
    tree = to / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True, timeout=300)
    control = tree / "DEBIAN" / "control"
    text = re.sub(r"(?m)^(Version: )[^-]+", rf"\g<1>{version}", control.read_text("utf-8"))
    control.write_text(text, encoding="utf-8")
    (module,) = tree.glob("usr/lib/cln-monitor/lib/python3*/site-packages/cln_monitor/__init__.py")
    _replace(module, r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"')
    if state_format is not None:
        _replace(module.parent / "exporter" / "snapshot.py", r"(?m)^FORMAT = \d+$", f"FORMAT = {state_format}")
    copy = to / f"{version}.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(copy)]
    subprocess.run(build, check=True, timeout=300, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return copy


def _replace(module: Path, pattern: str, replacement: str) -> None:
    """Replace one line of a module, and remove its bytecode."""
    text, times = re.subn(pattern, replacement, module.read_text("utf-8"))
    assert times == 1, module
    module.write_text(text, encoding="utf-8")
    for compiled in module.parent.glob(f"__pycache__/{module.stem}.*.pyc"):
        compiled.unlink()


@contextmanager
def booted(suite: str, folder: Path, **packages: Path) -> Iterator[Machine]:
    """Boot a bare machine of a Debian suite, with `packages` as `/root/cln-monitor-NAME.SUFFIX`, and a user nagios."""
    root = make(suite, WORK / f"{suite}-test", _INCLUDED, WORK / f"{suite}-test.log")
    copies = {f"root/cln-monitor-{name}{path.suffix}": path for name, path in packages.items()}
    with _booted(root, folder, copies) as machine:
        yield machine


@contextmanager
def booted_like_el(folder: Path, package: Path) -> Iterator[Machine]:
    """Boot a machine of Debian 12 with rpm and dnf, with `package` in `/root`, and a user nagios.

    Its Python has the same path as on EL 8 and 9. An installed package provides what those distributions have.
    """
    root = make("bookworm", WORK / "bookworm-el", f"{_INCLUDED},{_OF_EL}", WORK / "bookworm-el.log")
    files = {
        "root/base.spec": _BASE_SPEC,
        "etc/yum.repos.d/empty.repo": "[empty]\nname=empty\nbaseurl=file:///srv/empty\ngpgcheck=0\n",
    }
    with _booted(root, folder, {f"root/{package.name}": package}, files) as machine:
        machine.must("mkdir /srv/empty && createrepo_c --quiet /srv/empty")
        machine.must("rpmbuild -bb --quiet --define '_topdir /root/base' /root/base.spec")
        machine.must("rpm --install --nodeps /root/base/RPMS/noarch/*.rpm")
        yield machine


@contextmanager
def _booted(
    root: Path, folder: Path, copies: Mapping[str, Path], files: Mapping[str, str] | None = None
) -> Iterator[Machine]:
    machine = Machine(folder, {"etc/systemd/system/cln.service": _CLN, **(files or {})}, copies, root)
    try:
        machine.must("useradd --system --no-create-home --shell /bin/sh nagios")
        yield machine
    finally:
        machine.stop()


def edit_two_lines(machine: Machine) -> None:
    """Set the login and the secret key in the configuration, as a user does."""
    (account,) = Simulator.demo(7).accounts.values()
    _edit(
        machine,
        f"s/login: acme_login/login: {account.login}/",
        f's/secret_key: ""/secret_key: {account.secret_key}/',
    )


def start_cln(machine: Machine) -> None:
    """Start a simulated CLN, and let the configuration refer to it, because the machine has no network."""
    _edit(machine, "s|^api_url: .*|api_url: http://127.0.0.1:8099/api|")
    machine.must("systemctl start cln.service")
    wait_until(lambda: machine.run("clntool --api-url http://127.0.0.1:8099/api status").code == 0, "the simulated CLN")


def configure(machine: Machine) -> None:
    """Set the login and the secret key in the configuration, and let it monitor a simulated CLN."""
    edit_two_lines(machine)
    start_cln(machine)


def _edit(machine: Machine, *edits: str) -> None:
    machine.must("sed -i " + " ".join(f"-e '{edit}'" for edit in edits) + f" {CONFIG}")


def scrape(machine: Machine) -> str:
    """Return the metrics of the exporter after each probe has run."""
    wait_until(lambda: machine.run(f"curl --fail --silent {ADDRESS}/-/ready").code == 0, "the exporter to be ready")
    return machine.must(f"curl --fail --silent {ADDRESS}/metrics")


def version_of(machine: Machine) -> str:
    """Return the version of the running exporter."""
    found = re.search(r'cln_exporter_build_info\{.*?\bversion="([^"]+)"', scrape(machine))
    assert found is not None
    return found[1]


def as_nagios(machine: Machine, plugin: str, *, directory: str = "/usr/lib/nagios/plugins") -> tuple[int, str]:
    """Run a plugin as the user nagios, and return its exit code and output."""
    done = machine.run(f"su nagios -c '{directory}/{plugin}'")
    return done.code, done.output


def last_success(machine: Machine) -> dict[str, float]:
    """Return when each probe last succeeded."""
    found = re.findall(r'(?m)^cln_probe_last_success_timestamp_seconds\{.*?probe="(\w+)".*\} (\S+)$', scrape(machine))
    return {name: float(value) for name, value in found}


def files_below(machine: Machine, directory: str) -> list[str]:
    """Return the files below a directory, which may be missing."""
    return machine.must(f"find {directory} 2>/dev/null | sort || true").splitlines()


def record(machine: Machine, command: str) -> dict[str, object]:
    """Return the JSON that a command prints."""
    value: dict[str, object] = json.loads(machine.must(command))
    return value
