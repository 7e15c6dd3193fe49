"""The .rpm on a booted machine: its content, and that it can be installed, run, upgraded and removed.

The tests use a machine of Debian 12 instead of EL: its Python has the same path as on EL 8 and 9, and its rpm runs the
same scriptlets.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.systemd import Machine
from tools.every_python import local_pythons
from tools.packages.targets import TARGETS

from .machines import CONFIG, as_nagios, booted_like_el, configure, files_below, package_of, scrape

RPMS = [name for name, target in TARGETS.items() if not target.is_deb]
RUNNING = [name for name in RPMS if TARGETS[name].python == "3.11"]
SERVICE = "cln-exporter.service"
FILE = "/root/cln-monitor-*.rpm"
_MODULES = (
    *("cln_monitor.exporter.main", "cln_monitor.cli.main", "cln_monitor.checks.entry", "cln_monitor.checks.registry"),
    *("bcrypt", "charset_normalizer.md", "markupsafe._speedups", "msgspec", "pydantic_core", "uvloop", "yaml._yaml"),
)
PLUGINS = "/usr/lib64/nagios/plugins"


def query(name: str, *what: str) -> str:
    """Return what rpm reports about the package of a distribution."""
    done = subprocess.run(
        ["rpm", "--query", "--package", *what, str(package_of(name))],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return done.stdout


def unpack(name: str, to: Path) -> None:
    """Unpack the files of the package of a distribution into a directory."""
    command = f"rpm2cpio {package_of(name)} | cpio --quiet -idm"
    subprocess.run(command, shell=True, cwd=to, check=True, timeout=300)


@pytest.fixture(params=RUNNING)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    """A machine that is used instead of one of EL, with the package in its file system."""
    name: str = request.param
    with booted_like_el(tmp_path, package_of(name)) as machine:
        yield machine


@pytest.mark.parametrize("name", RPMS)
def test_requirements(name: str) -> None:
    """It requires the Python of the distribution, and nothing of the build machine."""
    target = TARGETS[name]
    needs = [need for need in query(name, "--requires").splitlines() if not need.startswith("rpmlib(")]
    assert target.requires in needs
    assert {need.split("(")[0].split()[0] for need in needs} == {
        target.requires,
        "glibc",
        "systemd",
        "shadow-utils",
        "/bin/sh",
    }
    assert query(name, "--queryformat", "%{PAYLOADCOMPRESSOR}") == "xz", "the rpm of EL 8 reads it"


@pytest.mark.parametrize("name", RPMS)
def test_the_environment_is_of_the_python_of_the_distribution(name: str, tmp_path: Path) -> None:
    """The link, libraries and bytecode match; each module has bytecode, without paths of the build machine."""
    target = TARGETS[name]
    unpack(name, tmp_path)
    environment = tmp_path / "usr/lib/cln-monitor"
    assert (environment / "bin/python3").readlink() == Path(f"../../../bin/python{target.python}")
    (packages,) = environment.glob("lib/python3*/site-packages")
    assert packages.parent.name == f"python{target.python}"
    assert {file.read_text("ascii") for file in packages.glob("*.dist-info/INSTALLER")} == {"rpm\n"}
    tag = f"cpython-{target.python.replace('.', '')}"
    libraries = [path for path in packages.rglob("*.so") if "cpython-" in path.name]
    assert libraries
    assert [path.name for path in libraries if tag not in path.name] == []
    modules = [path for path in packages.rglob("*.py") if "-" not in path.parent.name]
    assert len(modules) > 500
    compiled = [path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" for path in modules]
    assert [str(path) for path in compiled if not path.is_file()] == []
    assert b"/tmp/" not in (packages / "cln_monitor/__pycache__" / f"durations.{tag}.pyc").read_bytes()
    assert b"/usr/lib/cln-monitor/" in (packages / "cln_monitor/__pycache__" / f"durations.{tag}.pyc").read_bytes()


@pytest.mark.parametrize("name", RPMS)
def test_the_libraries_load(name: str, tmp_path: Path) -> None:
    """They can be imported with that minor version of Python, with nothing else on its path."""
    unpack(name, tmp_path)
    (packages,) = tmp_path.glob("usr/lib/cln-monitor/lib/python3*/site-packages")
    minor = TARGETS[name].python
    python = next(each.path for each in local_pythons() if each.minor == minor)
    code = f"import sys; sys.path = [p for p in sys.path if 'packages' not in p] + [{str(packages)!r}]\n"
    code += "".join(f"import {module}\n" for module in _MODULES) + "print(cln_monitor.exporter.main.__file__)"
    done = subprocess.run([python, "-I", "-B", "-c", code], capture_output=True, text=True, timeout=300, check=False)
    assert (done.stderr, done.stdout) == ("", f"{packages}/cln_monitor/exporter/main.py\n")


@pytest.mark.parametrize("name", RPMS)
def test_glibc_of_each_library(name: str, tmp_path: Path) -> None:
    """No library needs a glibc newer than that of EL 8, 2.28."""
    unpack(name, tmp_path)
    libraries = [str(path) for path in tmp_path.rglob("*.so")]
    symbols = subprocess.run(["objdump", "-T", *libraries], capture_output=True, text=True, timeout=300, check=True)
    needed = {tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([\d.]+)", symbols.stdout)}
    assert needed
    assert max(needed) <= (2, 28)


def test_installed_configured_and_removed(machine: Machine) -> None:
    """The service starts only when configured, and works, as do plugins; removing stops it and keeps the state."""
    machine.must(f"rpm --install {FILE}")
    assert machine.show(SERVICE, "ActiveState") == "inactive"
    assert machine.must(f"stat -c '%U:%G %a' {CONFIG}") == "root:cln-monitor 640\n"
    assert machine.run("rpm --verify cln-monitor").output == ""
    before = files_below(machine, "/usr/lib/cln-monitor")
    configure(machine)
    machine.must(f"systemctl enable --now {SERVICE}")
    assert "cln_kernelcare_key_servers{" in scrape(machine)
    machine.must("usermod -aG cln-monitor nagios")
    code, output = as_nagios(machine, f"check_cln_status -C {CONFIG}", directory=PLUGINS)
    assert (code, output[:5]) == (0, "OK - "), output
    assert machine.must("clntool --version").startswith("clntool ")
    assert "--web.listen-address" in machine.must("man cln-exporter")
    assert files_below(machine, "/usr/lib/cln-monitor") == before
    changed = machine.run("rpm --verify cln-monitor").output.split()
    assert changed[-2:] == ["c", CONFIG], "the edited configuration and nothing else"

    process = machine.show(SERVICE, "MainPID")
    machine.must(f"rpm --upgrade --replacepkgs {FILE}")
    assert machine.show(SERVICE, "ActiveState") == "active"
    assert machine.show(SERVICE, "MainPID") != process, "an upgrade restarts what runs"
    assert 'secret_key: ""' not in machine.must(f"cat {CONFIG}")

    machine.must("rpm --erase cln-monitor")
    assert machine.show(SERVICE, "ActiveState") == "inactive"
    assert files_below(machine, "/usr/lib/cln-monitor /usr/bin/cln-exporter /usr/share/cln-monitor") == []
    assert files_below(machine, "/etc/cln-monitor")[1:] == [f"{CONFIG}.rpmsave"]
    assert files_below(machine, "/var/lib/cln-exporter")[1:]


@pytest.mark.parametrize("name", RPMS)
def test_installed_below_another_root(name: str, tmp_path: Path) -> None:
    """`rpm --root` installs the package in an empty tree, and verifies it."""
    rpm = ["rpm", f"--root={tmp_path}", "--nodeps"]
    subprocess.run(
        [*rpm, "--noscripts", "--install", str(package_of(name))], check=True, timeout=300, capture_output=True
    )
    done = subprocess.run([*rpm, "--verify", "cln-monitor"], capture_output=True, text=True, timeout=300, check=False)
    # The group of the configuration is missing, because the scriptlet that creates it is not run.
    assert [line for line in done.stdout.splitlines() if CONFIG not in line] == []
    assert (tmp_path / "usr/lib/cln-monitor/pyvenv.cfg").is_file()


@pytest.mark.parametrize("name", RPMS)
def test_rpmlint(name: str) -> None:
    """Rpmlint reports no errors and no warnings."""
    configuration = Path(__file__).parents[2] / "packaging" / "rpm" / "rpmlint.toml"
    done = subprocess.run(
        ["rpmlint", f"--config={configuration}", str(package_of(name))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert re.search(r"\b0 errors, 0 warnings", done.stdout), done.stdout[-3000:]
    assert done.returncode == 0
