"""The health check of the image, against an exporter with and without TLS and passwords."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from tests.helpers.certificates import Authority
from tests.helpers.package import ROOT
from tests.helpers.running import PATIENCE, free_port, running_exporter

pytestmark = pytest.mark.processes

HEALTHCHECK = ROOT / "packaging" / "container" / "healthcheck.py"


def outcome(port: str | int) -> tuple[int, str]:
    """Return the exit code and the output of a check."""
    command = [sys.executable, "-I", str(HEALTHCHECK), str(port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.returncode, done.stdout + done.stderr


def _plain(_: Path) -> str:
    return ""


def _with_users(directory: Path) -> str:
    hashed = bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)).decode()
    (directory / "web.yml").write_text(f"basic_auth_users: {{prometheus: {hashed}}}\n")
    return f"--web.config.file={directory}/web.yml"


def _with_tls(directory: Path, further: str = "") -> str:
    authority = Authority(directory)
    authority.issue("server")
    files = f"cert_file: server.pem, key_file: server.key{further}"
    (directory / "web.yml").write_text(f"tls_server_config: {{{files}}}\n")
    return f"--web.config.file={directory}/web.yml"


def _with_client_certificates(directory: Path) -> str:
    return _with_tls(directory, ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem")


@pytest.mark.parametrize(
    "configure", [_plain, _with_users, _with_tls, _with_client_certificates, lambda _: "--web.route-prefix=/cln"]
)
def test_an_exporter_that_answers(configure: Callable[[Path], str], tmp_path: Path) -> None:
    """An exporter that answers is healthy, also if the check may not see the page."""
    flags = [flag for flag in ("--demo", configure(tmp_path)) if flag]
    with running_exporter(tmp_path, *flags) as exporter:
        assert outcome(exporter.address.rpartition(":")[2]) == (0, "")


def test_no_exporter() -> None:
    """A port on which no program listens is unhealthy."""
    port = free_port()
    code, output = outcome(port)
    assert code == 1
    assert output.startswith(f"no answer on port {port}: ")
