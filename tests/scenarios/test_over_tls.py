"""The real program behind TLS and a password: what it says of itself, and how a plugin asks it."""

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
    """Where the certificates lie."""
    return tmp_path_factory.mktemp("over_tls")


@pytest.fixture(scope="module")
def exporter(folder: Path) -> Iterator[Exporter]:
    """The demo, for alice alone."""
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
    """By https."""
    assert f"page=https://{exporter.address}/" in exporter.log


def test_who_is_let_in(exporter: Exporter, folder: Path) -> None:
    """Who has the password; the others get nothing."""
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
    """Trusts the authority that SSL_CERT_FILE names, as its page says, and no other."""
    url = f"https://alice:{quote(password)}@{exporter.address}"
    environment = os.environ | {"SSL_CERT_FILE": str(folder / trusted)}
    command = [sys.executable, str(PLUGIN), "--exporter", url, "--unreachable-state", "unknown"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert re.search(says, done.stdout), done.stdout
    assert ("UNKNOWN" in says) == (done.returncode == 3)
    assert password not in done.stdout + done.stderr


def test_nothing_secret_is_told(exporter: Exporter) -> None:
    """Neither password nor hash is in the log."""
    assert not [secret for secret in (PASSWORD, HASH, "wrong") if secret in exporter.log]
