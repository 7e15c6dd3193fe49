"""The package as it is published: what is in it, and that what it installs runs."""

from __future__ import annotations

import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from cln_monitor import __version__
from cln_monitor.simulator import serve
from tests.helpers.package import ROOT, Package, install
from tests.helpers.running import Exporter
from tests.helpers.small_cln import KEY, LOGIN, SECRET_KEY, small_cln

pytestmark = pytest.mark.processes

PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if path.is_file() and not path.suffix}


@pytest.fixture(scope="module")
def programs(package: Package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs that the wheel installs into a new virtual environment."""
    return install(package.wheel, tmp_path_factory.mktemp("installed") / "venv")


def test_the_wheel_holds_the_package_and_nothing_else(package: Package) -> None:
    """All modules, what they read, the plugins as they lie in the checkout, the licence; no tests, no caches."""
    with zipfile.ZipFile(package.wheel) as wheel:
        names = set(wheel.namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "cln_monitor").rglob("*.py")}
    data = {"cln_monitor/py.typed"}
    templates = ("status.html", "status.css", "status.js", "runbook.html")
    data |= {f"cln_monitor/exporter/web/status_page/templates/{name}" for name in templates}
    data |= {"cln_monitor/exporter/web/status_page/runbook.md"}
    scripts = {f"cln_monitor-{__version__}.data/scripts/{name}" for name in PLUGINS}
    told = f"cln_monitor-{__version__}.dist-info"
    about = {
        f"{told}/{name}"
        for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "top_level.txt", "licenses/LICENSE")
    }
    assert names == modules | data | scripts | about


def test_the_sdist_holds_what_the_readme_tells_to_install(package: Package) -> None:
    """Units, definitions, rules and dashboards beside the sources; no tests, no caches, nothing hidden."""
    with tarfile.open(package.sdist) as sdist:
        names = {PurePosixPath(*PurePosixPath(each.name).parts[1:]) for each in sdist if each.isfile()}
    for folder in ("systemd", "plugins", "dashboards", "docs"):
        kept = {path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}
        assert {PurePosixPath(path.relative_to(ROOT)) for path in kept} <= names
    texts = ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "RELEASE.md", "pyproject.toml")
    assert {PurePosixPath(name) for name in texts} <= names
    tops = {name.parts[0] for name in names}
    assert tops <= {"cln_monitor", "cln_monitor.egg-info", "dashboards", "docs", "plugins", "systemd"} | {
        *texts,
        "MANIFEST.in",
        "PKG-INFO",
        "setup.cfg",
    }
    assert not [name for name in names if "__pycache__" in name.parts or name.parts[-1].startswith(".")]


def test_all_programs_are_installed(programs: Path) -> None:
    """And start: each knows its version."""
    for name in {"cln-exporter", "clntool"} | PLUGINS:
        code, output = _run(programs, name, "--version")
        assert code == (3 if name in PLUGINS else 0), output
        assert output.startswith(f"{name} ") or name == "clntool", output


def test_the_installed_exporter_runs_the_demo(programs: Path, tmp_path: Path) -> None:
    """A page with its style, the runbook and a scrape, from the files of the wheel alone."""
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
    """The simulated one."""
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


def test_types_are_there_for_who_uses_the_client(programs: Path) -> None:
    """The marker lies where type checkers look for it, and the client is the one of the wheel."""
    code = "import cln_monitor.cln, pathlib; print(pathlib.Path(cln_monitor.__path__[0], 'py.typed').exists())"
    code += "; print(cln_monitor.__path__[0])"
    _, output = _run(programs, "python", "-c", code)
    (site_packages,) = programs.parent.glob("lib/python3*/site-packages")
    assert output == f"True\n{site_packages / 'cln_monitor'}\n"


def _environment(programs: Path) -> dict[str, str]:
    # Nothing of the checkout: neither its code nor its virtual environment.
    return {"PATH": f"{programs}:{os.defpath}", "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}


def _run(programs: Path, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return how a program of the wheel ends, away from the checkout, and what it prints."""
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
