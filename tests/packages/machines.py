"""Machines with a booted systemd, on which packages are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
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

_INCLUDED = "python3,systemd,systemd-sysv,dbus,man-db,curl,rpm"
_CLN = """\
[Service]
ExecStart=/usr/bin/clntool simulate --listen 127.0.0.1:8099
"""


def package_of(distribution: str) -> Path:
    """Return the package of a distribution that `make packages` has built."""
    found = [*(DIST / distribution).glob("*.deb"), *(DIST / distribution).glob("*.rpm")]
    assert len(found) == 1, f"expected one package in {DIST / distribution}, found {len(found)}: make packages"
    return found[0]


def with_version(package: Path, version: str, to: Path) -> Path:
    """Return a copy of a .deb whose programs and control file have the given `version`."""
    tree = to / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True, timeout=300)
    control = tree / "DEBIAN" / "control"
    text = re.sub(r"(?m)^(Version: )[^-]+", rf"\g<1>{version}", control.read_text("utf-8"))
    control.write_text(text, encoding="utf-8")
    (module,) = tree.glob("usr/lib/cln-monitor/lib/python3*/site-packages/cln_monitor/__init__.py")
    module.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', module.read_text("utf-8")))
    for compiled in module.parent.glob("__pycache__/__init__.*.pyc"):
        compiled.unlink()
    copy = to / f"{version}.deb"
    build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(copy)]
    subprocess.run(build, check=True, timeout=300, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return copy


@contextmanager
def booted(suite: str, folder: Path, **packages: Path) -> Iterator[Machine]:
    """Boot a bare machine of a Debian suite, with `packages` as `/root/cln-monitor-NAME.SUFFIX`, and a user nagios."""
    root = make(suite, WORK / f"{suite}-test", _INCLUDED, WORK / f"{suite}-test.log")
    copies = {f"root/cln-monitor-{name}{path.suffix}": path for name, path in packages.items()}
    machine = Machine(folder, {"etc/systemd/system/cln.service": _CLN}, copies, root)
    try:
        machine.must("useradd --system --no-create-home --shell /bin/sh nagios")
        yield machine
    finally:
        machine.stop()


def configure(machine: Machine) -> None:
    """Set the login and the secret key in the configuration, and let it monitor a simulated CLN."""
    (account,) = Simulator.demo(7).accounts.values()
    edits = [
        f"s/login: acme_login/login: {account.login}/",
        f's/secret_key: ""/secret_key: {account.secret_key}/',
        "s|^api_url: .*|api_url: http://127.0.0.1:8099/api|",  # the machine has no network
    ]
    machine.must("sed -i " + " ".join(f"-e '{edit}'" for edit in edits) + f" {CONFIG}")
    machine.must("systemctl start cln.service")
    wait_until(lambda: machine.run("clntool --api-url http://127.0.0.1:8099/api status").code == 0, "the simulated CLN")


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
