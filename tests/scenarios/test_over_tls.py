"""The exporter with TLS and a password, and a plugin that queries it."""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.exporter.asking import basic
from tests.exporter.web.web_configs import HASH, PASSWORD, TLS, write_files
from tests.helpers.running import Exporter, ask, running_exporter, wait_until

pytestmark = pytest.mark.processes

PLUGIN = Path(__file__).parents[2] / "plugins" / "check_cln_exporter"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of the certificates."""
    return tmp_path_factory.mktemp("over_tls")


@pytest.fixture(scope="module")
def exporter(folder: Path) -> Iterator[Exporter]:
    """Yield the demo exporter, with a password for alice."""
    write_files(folder)
    (folder / "web.yml").write_text(f"{TLS}}}\nbasic_auth_users: {{alice: '{HASH}'}}\n")
    with running_exporter(folder, "--demo", f"--web.config.file={folder / 'web.yml'}") as running:
        tls = ssl.create_default_context(cafile=folder / "ca.pem")
        url = f"https://{running.address}/-/ready"
        wait_until(
            lambda: ask(url, headers=basic("alice", PASSWORD), tls=tls).status == 200, "the exporter to be ready"
        )
        yield running


def test_the_log_names_the_page_as_it_is_reached(exporter: Exporter) -> None:
    """The log has the https URL of the page."""
    assert f"page=https://{exporter.address}/" in exporter.log


def test_password_is_required(exporter: Exporter, folder: Path) -> None:
    """Requests with the password succeed, and others are refused."""
    tls, url = ssl.create_default_context(cafile=folder / "ca.pem"), f"https://{exporter.address}/metrics"
    assert ask(url, tls=tls).status == 401
    assert ask(url, headers=basic("alice", "wrong"), tls=tls).status == 401
    answer = ask(url, headers=basic("alice", PASSWORD), tls=tls)
    assert (answer.status, "cln_exporter_web_config_last_reload_successful 1.0" in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("trusted", "password", "says"),
    [
        ("ca.pem", PASSWORD, " probes"),
        ("client.pem", PASSWORD, "UNKNOWN - .*certificate"),
        ("ca.pem", "wrong", "UNKNOWN - .*401"),
    ],
)
def test_a_plugin(trusted: str, password: str, says: str, exporter: Exporter, folder: Path) -> None:
    """A plugin trusts only the authority in SSL_CERT_FILE, as documented."""
    url = f"https://alice:{quote(password)}@{exporter.address}"
    environment = os.environ | {"SSL_CERT_FILE": str(folder / trusted)}
    command = [sys.executable, str(PLUGIN), "--exporter", url, "--unreachable-state", "unknown"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert re.search(says, done.stdout), done.stdout
    assert ("UNKNOWN" in says) == (done.returncode == 3)
    assert password not in done.stdout + done.stderr


def test_log_has_no_secret(exporter: Exporter) -> None:
    """The log has neither the password nor its hash."""
    assert not [secret for secret in (PASSWORD, HASH, "wrong") if secret in exporter.log]
