"""The project in Debian's next release: its Python, Prometheus, VictoriaMetrics with vmalert, Alertmanager and Icinga.

The tests run inside a root file system of that release, with the libraries of requirements-dev.lock.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.package import ROOT
from tools.every_python import run, uv
from tools.packages.root_file_systems import make

from .machines import WORK

SUITE = "testing"
_INCLUDED = (
    "python3,python3-venv,ca-certificates,monitoring-plugins-basic,"
    "prometheus,prometheus-alertmanager,victoria-metrics,icinga2-bin"
)
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "htmlcov", "node_modules")
TESTS = (
    "tests/next_release",
    *(f"tests/real/test_{name}.py" for name in ("alerting", "any_text", "discovery", "feed_icinga", "icinga")),
    *(f"tests/real/test_{name}.py" for name in ("prometheus", "rules", "shards", "web_tls")),
)
DESELECTED = (
    # Its table has the differences from the promtool of Debian 12; a newer one refuses RSA key exchange, for example.
    "tests/real/test_web_tls.py::test_promtool_judges_the_same",
)
_SECONDS = 1800.0


@pytest.fixture(scope="module")
def root() -> Path:
    """The root file system, with a copy of the checkout in /src and its libraries in /opt/venv."""
    log = WORK / f"{SUITE}-servers.log"
    root = make(SUITE, WORK / f"{SUITE}-servers", _INCLUDED, log)
    authorities = Path("/etc/ssl/certs/ca-certificates.crt")
    if authorities.exists():  # this machine may use a proxy with its own authority
        shutil.copyfile(authorities, root / authorities.relative_to("/"))
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    shutil.rmtree(root / "src", ignore_errors=True)
    shutil.copytree(ROOT, root / "src", ignore=_NOT_COPIED)
    shutil.copy2(uv(), root / "opt" / "uv")
    program = ("env", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "/opt/uv")
    install = (*program, "pip", "install", "--quiet", "--python=/opt/venv/bin/python", "--no-deps")
    for command in (
        (*program, "venv", "--quiet", "--clear", "--python=/usr/bin/python3", "/opt/venv"),
        (*install, "--require-hashes", "--requirement=requirements-dev.lock"),
        (*install, "--no-build-isolation", "--editable=."),
    ):
        run(command, log, _SECONDS, root)
    return root


def test_rules_scrapes_and_plugins(root: Path) -> None:
    """The tests of rules, scrapes and plugins pass with these servers; none is skipped."""
    command = ["env", "CI=true", "/opt/venv/bin/python", "-m", "pytest", "--numprocesses=2", "--dist=loadfile"]
    command += ["-p", "no:cacheprovider", *(f"--deselect={name}" for name in DESELECTED), *TESTS]
    output = run(command, WORK / f"{SUITE}-tests.log", _SECONDS, root)
    assert " passed in " in output
