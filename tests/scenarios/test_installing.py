"""The installation commands on the pages are run, and do what the pages say."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers.package import ROOT, SITE_PACKAGES, locked_releases
from tests.helpers.pages import shell_commands

PAGES = [ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "RELEASE.md", "plugins/README.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
UNITS = sorted((ROOT / "systemd").iterdir())
_OPT = "/opt/cln-monitor"


def pip_arguments(text: str) -> list[str]:
    """Return the arguments of each ``pip install`` in ``text``, on one line."""
    return [" ".join(found.split()) for found in re.findall(r"\bpip install ([^`#|\n]*(?:\n[^`#|\n]*(?=`))?)", text)]


LOCKED = "--no-deps --require-hashes -r requirements.lock"
GOOD = {LOCKED, "--no-deps .", "'.[uvloop]'", ".", "uv"}


@pytest.mark.parametrize("page", [*PAGES, *UNITS, ROOT / "tools" / "lock"], ids=lambda page: page.name)
def test_each_pip_command_of_a_page_is_one_that_is_known_to_work(page: Path) -> None:
    """Each page installs cln-monitor with a tested pip command."""
    found = pip_arguments(page.read_text(encoding="utf-8"))
    assert {re.sub(r'" >&2.*', "", command).strip() for command in found} <= GOOD, found


FROM_THE_LOCK = [f"{_OPT}/bin/pip install {LOCKED}", f"{_OPT}/bin/pip install --no-deps ."]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (ROOT / "README.md", [f"python3 -m venv {_OPT}", *FROM_THE_LOCK]),
        (
            ROOT / "docs" / "installation.md",
            [
                f"python3 -m venv {_OPT}",
                *FROM_THE_LOCK,
                f"{_OPT}/bin/pip install '.[uvloop]'",
                *FROM_THE_LOCK,
                f"python3 -m venv --clear {_OPT}",
            ],
        ),
    ],
    ids=["README", "installation"],
)
def test_pages_install_and_upgrade_from_the_lock(page: Path, expected: list[str]) -> None:
    """The pages install and upgrade to the releases that the tests ran with, checked by their hashes."""
    assert [command for command in shell_commands(page) if "pip" in command or "venv" in command] == expected


def test_the_lock_has_all_that_is_needed_and_within_the_bounds() -> None:
    """The lock file has all dependencies, within their bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = locked_releases()
    left = [
        Requirement(requirement)
        for requirement in (*project["dependencies"], *project["optional-dependencies"]["uvloop"])
    ]
    checked: set[str] = set()
    while left:
        wanted = left.pop()
        name = canonicalize_name(wanted.name)
        assert name in locked, f"requirements.lock has no {name}: make lock"
        assert wanted.specifier.contains(locked[name]), f"requirements.lock has {name} {locked[name]}, not {wanted}"
        if name not in checked:
            checked.add(name)
            if distribution(name).version != locked[name]:
                continue  # what another release needs says nothing of the lock
            needs = [Requirement(requirement) for requirement in distribution(name).requires or ()]
            extras = wanted.extras or {""}
            left += [
                requirement
                for requirement in needs
                if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)
            ]
    assert checked <= set(locked)
    if all(distribution(name).version == locked[name] for name in checked):
        assert checked == set(locked)


def test_each_file_of_the_lock_has_its_hash() -> None:
    """Each file in the lock has a hash, as --require-hashes demands."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)
    assert [entry.partition(" ")[0] for entry in entries if entry.strip() and "--hash=sha256:" not in entry] == []


@pytest.mark.processes
def test_the_package_is_installed_as_the_readme_says(tmp_path: Path) -> None:
    """The package is installed by the README's commands.

    It is installed from a copy of the checkout into a new environment; libraries are those of the tests.
    """
    source = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "node_modules")
    shutil.copytree(ROOT, source, ignore=ignored)
    opt = str(tmp_path / "opt")
    for command in shell_commands(ROOT / "README.md"):
        if command.startswith("python3 -m venv"):
            _run(command.replace(_OPT, opt), source)
            (site_packages,) = Path(opt).glob("lib/python3*/site-packages")
            (site_packages / "needed.pth").write_text(f"{SITE_PACKAGES}\n")
        elif command.endswith("--no-deps ."):
            # What pip takes from the network is the setuptools that builds the package, and the tests have one.
            offline = f"PYTHONPATH={SITE_PACKAGES} {command.replace(_OPT, opt)} --no-index --no-build-isolation"
            _run(f"{offline} --ignore-installed", source)
    for unit in UNITS:
        for program in re.findall(rf"^ExecStart={_OPT}/(\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE):
            assert (Path(opt) / program).is_file(), f"{unit.name} starts {program}, which is not installed"
    assert "cln-exporter " in _run(f"{opt}/bin/cln-exporter --version", tmp_path)
    assert "check_cln_status " in _run(f"{opt}/bin/check_cln_status --version; test $? = 3", tmp_path)


@pytest.mark.processes
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(command.startswith("install ") for command in shell_commands(page))],
    ids=lambda page: page.name,
)
def test_what_a_page_installs_is_there(page: Path, tmp_path: Path) -> None:
    """Each command ``install`` of a page, run below another root, finds its files in the checkout and its directory."""
    root = str(tmp_path)
    for directory in (
        "etc/systemd/system",
        "etc/cln-monitor",
        "etc/grafana/provisioning/dashboards",
        "etc/nagios4/conf.d",
        "etc/icinga2/conf.d",
    ):
        (tmp_path / directory).mkdir(parents=True)  # those of the packages, and of the README
    ran = [command for command in shell_commands(page) if command.startswith("install ")]
    assert ran
    for command in ran:
        below = re.sub(r"(?<=\s)/(?=(?:etc|var|opt)/)", f"{root}/", command)
        below = re.sub(r" -g (?:nagios|cln-monitor) ", " ", below)
        target = tmp_path / below.split()[-1]  # nothing is installed in the checkout
        if not command.split()[-1].startswith("/"):
            target.parent.mkdir(parents=True)
        _run(below.removesuffix(below.split()[-1]) + str(target), ROOT, "s3cret\n")
        assert target.exists(), command
        assert target.is_relative_to(tmp_path)
        if "/dev/stdin" in command:
            mode = int(re.findall(r" -m (\d+) ", command)[0], 8)
            assert (target.stat().st_mode & 0o777, target.read_text()) == (mode, "s3cret\n")
            assert mode & 0o007 == 0


@pytest.mark.processes
def test_the_configuration_that_is_installed_is_good(tmp_path: Path) -> None:
    """The check of the configuration in docs/installation.md has no errors."""
    (tmp_path / "acme.secret").write_text("s3cret")
    shutil.copy(ROOT / "systemd" / "cln-monitor.yml", tmp_path)
    page = ROOT / "docs" / "installation.md"
    check = next(command for command in shell_commands(page) if "--config.check" in command)
    own = f"--config.file={tmp_path / 'cln-monitor.yml'}"
    check = check.replace("/etc/cln-monitor", str(tmp_path)).replace(
        f"{_OPT}/bin", str(SITE_PACKAGES.parents[2] / "bin")
    )
    assert ": ok, 1 account, " in _run(f"{check} {own}", tmp_path)


def _run(command: str, folder: Path, stdin: str = "") -> str:
    """Run ``command`` in a shell, and return its output."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout
