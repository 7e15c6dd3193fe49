"""The published package: its content, and the programs that it installs."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from cln_monitor import __version__
from cln_monitor.bundled_files import files_of_checkout
from cln_monitor.simulator import serve
from tests.helpers.package import ROOT, Package, install
from tests.helpers.running import Exporter
from tests.helpers.small_cln import KEY, LOGIN, SECRET_KEY, small_cln

pytestmark = pytest.mark.processes

PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if path.is_file() and not path.suffix}


@pytest.fixture(scope="module")
def programs(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the programs that the wheel installs into a new virtual environment."""
    return install(package.wheel, tmp_path_factory.mktemp("installed") / "venv")


def test_the_wheel_holds_the_package_and_nothing_else(package: Package) -> None:
    """The wheel has modules, data, plugins and the license, and no tests."""
    with zipfile.ZipFile(package.wheel) as wheel:
        names = set(wheel.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cln_monitor").rglob("*.py")}
    data = {"cln_monitor/py.typed"}
    templates = ("status.html", "status.css", "status.js", "runbook.html")
    data |= {f"cln_monitor/exporter/web/status_page/templates/{name}" for name in templates}
    data |= {"cln_monitor/exporter/web/status_page/runbook.md"}
    data |= {f"cln_monitor/files/{name}" for name in files_of_checkout(ROOT)}
    scripts = {f"cln_monitor-{__version__}.data/scripts/{name}" for name in PLUGINS}
    info = f"cln_monitor-{__version__}.dist-info"
    about = {
        f"{info}/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
    }
    assert names == modules | data | scripts | about


def test_sdist_has_all_files_of_the_readme(package: Package) -> None:
    """The sdist has everything to install, and no tests or caches."""
    with tarfile.open(package.sdist) as sdist:
        names = {PurePosixPath(*PurePosixPath(member.name).parts[1:]) for member in sdist if member.isfile()}
    for folder in ("systemd", "plugins", "dashboards", "docs", "packaging"):
        kept = {path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {PurePosixPath(path.relative_to(ROOT)) for path in kept} <= names
    texts = ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "RELEASE.md", "pyproject.toml")
    assert {PurePosixPath(name) for name in texts} <= names
    tops = {name.parts[0] for name in names}
    assert tops <= {"cln_monitor", "cln_monitor.egg-info", "dashboards", "docs", "packaging", "plugins", "systemd"} | {
        *texts,
        "MANIFEST.in",
        "PKG-INFO",
        "setup.cfg",
        "setup.py",
    }
    assert not [name for name in names if "__pycache__" in name.parts or name.parts[-1].startswith(".")]


def test_all_programs_are_installed(programs: Path) -> None:
    """All programs are installed and print their version."""
    for name in {"cln-exporter", "clntool"} | PLUGINS:
        code, output = _run(programs, name, "--version")
        assert code == (3 if name in PLUGINS else 0), output
        assert output.startswith(f"{name} ") or name == "clntool", output


def test_the_installed_exporter_runs_the_demo(programs: Path, tmp_path: Path) -> None:
    """The installed exporter serves page, style, runbook and metrics of the demo."""
    exporter = Exporter(
        tmp_path / "exporter.log",
        "--demo",
        environment=_environment(programs),
        program=(str(programs / "cln-exporter"),),
    )
    try:
        exporter.wait_ready()
        assert "cln_kernelcare_key_servers{" in exporter.metrics()
        assert "</style>" in exporter.ask("/").text
        assert '<h2 id="clndown">' in exporter.ask("/runbook").text
    finally:
        exporter.stop()


def test_an_installed_plugin_and_clntool_ask_cln(programs: Path) -> None:
    """An installed plugin and clntool query a simulated CLN."""
    with serve(small_cln()) as served:
        code, output = _run(programs, "check_cln_status", "--api-url", served.url)
        assert (code, output.startswith("OK - ")) == (0, True), output
        code, output = _run(programs, "clntool", "--api-url", served.url, "status")
        assert (code, "rhn_online" in output) == (0, True), output
        credentials = {"CLN_LOGIN": LOGIN, "CLN_SECRET_KEY": SECRET_KEY}
        code, output = _run(
            programs, "clntool", "--api-url", served.url, "kernelcare", "keys", "list", environment=credentials
        )
        assert (code, KEY in output) == (0, True), output


def test_the_installed_clntool_copies_the_files(programs: Path, tmp_path: Path) -> None:
    """Rules, dashboards, units and definitions in the wheel are those of the checkout."""
    code, output = _run(programs, "clntool", "files", str(tmp_path))
    assert code == 0, output
    expected = {name: file.read_bytes() for name, file in files_of_checkout(ROOT).items()}
    copied = {str(file.relative_to(tmp_path)): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert copied == expected


def test_type_marker_is_installed(programs: Path) -> None:
    """The py.typed marker is installed next to the client."""
    code = "import cln_monitor.cln, pathlib; print(pathlib.Path(cln_monitor.__path__[0], 'py.typed').exists())"
    code += "; print(cln_monitor.__path__[0])"
    _, output = _run(programs, "python", "-c", code)
    (site_packages,) = programs.parent.glob("lib/python3*/site-packages")
    assert output == f"True\n{site_packages / 'cln_monitor'}\n"


def _environment(programs: Path) -> dict[str, str]:
    # Nothing of the checkout: neither its code nor its virtual environment.
    return {"PATH": f"{programs}:{os.defpath}", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}


def _run(programs: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return the outcome of a program of the wheel, run outside of the checkout."""
    done = subprocess.run(
        [programs / name, *arguments],
        cwd=programs,
        env=_environment(programs) | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout
