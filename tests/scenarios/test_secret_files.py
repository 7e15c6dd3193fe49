"""Secrets from pipes, and secrets with invisible characters, in each program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cln_monitor.simulator import Simulator, serve
from tests.helpers.running import CLN_EXPORTER, PATIENCE, running_exporter
from tests.helpers.small_cln import LOGIN, SECRET_KEY, small_cln, write_config

pytestmark = pytest.mark.processes

PLUGIN = f"{sys.executable} {Path(__file__).parents[2]}/plugins/check_cln_kernelcare"
CLNTOOL = f'{sys.executable} -P -c "from cln_monitor.cli.main import run; run()"'


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command line, and its duration in seconds."""

    code: int
    output: str
    seconds: float


@pytest.fixture
def url() -> Iterator[str]:
    """Yield the URL of a CLN."""
    simulator: Simulator = small_cln()
    with serve(simulator) as served:
        yield served.url


def shell(line: str, **environment: str) -> Outcome:
    """Return the outcome of a ``line`` of bash."""
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return Outcome(done.returncode, done.stdout, time.monotonic() - started)


def lines_with(file: str, url: str, folder: Path) -> dict[str, str]:
    """Return the command line of each program with its secret key in ``file``."""
    config = folder / "of-options.yml"
    probes = "probes: {status: {interval: 1s}}"
    config.write_text(
        f"api_url: {url}\n{probes}\naccounts: [{{name: a, login: {LOGIN}, secret_key_file: /dev/fd/3}}]\n"
    )
    options = f"--login {LOGIN} --secret-key-file {file} --api-url {url}"
    return {
        "plugin": f"{PLUGIN} {options}",
        "clntool": f"{CLNTOOL} {options} kernelcare keys list",
        "exporter": f"{CLN_EXPORTER} --config.file={config} --config.check 3< {file}",
    }


def test_process_substitution(url: str, tmp_path: Path) -> None:
    """A secret of <(…) works as one in a file."""
    for name, line in lines_with(f"<(sleep 0.2; echo {SECRET_KEY})", url, tmp_path).items():
        outcome = shell(line)
        assert outcome.code == {"plugin": 1, "clntool": 0, "exporter": 0}[name], (name, outcome)
        assert "KernelCare servers" in outcome.output or name != "plugin"


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("/dev/zero", "is larger than 64 KiB"),
        ("/dev/null", "is empty; put the secret key there"),
        ("<(true)", "is empty; put the secret key there"),
    ],
)
def test_files_without_a_secret(file: str, problem: str, url: str, tmp_path: Path) -> None:
    """A device and an empty pipe are reported as errors by each program."""
    for name, line in lines_with(file, url, tmp_path).items():
        outcome = shell(line)
        assert outcome.code == {"plugin": 3, "clntool": 2, "exporter": 1}[name], (name, outcome)
        assert problem in outcome.output


@pytest.mark.parametrize("field", ["secret_key_file", "registration_token_file", "monitoring_keys_file"])
def test_a_pipe_without_a_writer(field: str, url: str, tmp_path: Path) -> None:
    """A named pipe without a writer blocks no program."""
    os.mkfifo(tmp_path / "fifo", 0o600)
    config = tmp_path / "cln-monitor.yml"
    key = "" if field == "secret_key_file" else "secret_key: s3cret, "
    config.write_text(f"api_url: {url}\naccounts: [{{name: acme, login: login, {key}{field}: fifo}}]\n")
    for line in (
        f"{CLN_EXPORTER} --config.file={config} --config.check",
        f"{CLN_EXPORTER} --config.file={config} --web.listen-address=127.0.0.1:0",
        f"{PLUGIN} -C {config}",
        f"{CLNTOOL} -C {config} kernelcare keys list",
    ):
        outcome = shell(line)
        assert outcome.code in {1, 2, 3}
        assert f"{tmp_path}/fifo is a pipe without a writer" in outcome.output, outcome


def test_a_reload_with_a_pipe(url: str, tmp_path: Path) -> None:
    """A secret from a pipe is kept over a reload; a pipe without a writer changes nothing."""
    config = write_config(tmp_path, url)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    config.write_text(config.read_text().replace("acme.secret", "fifo"))
    writer = subprocess.Popen(["bash", "-c", f"echo {SECRET_KEY} > {fifo}"])
    try:
        with running_exporter(tmp_path, f"--config.file={config}", "--web.enable-lifecycle") as exporter:
            writer.wait(PATIENCE)
            exporter.wait_ready()
            assert exporter.ask("/-/reload", "POST").status == 200
            exporter.wait_ready()
            assert re.search(r'(?m)^cln_probe_success\{.*probe="kernelcare"\} 1', exporter.metrics())
            other = tmp_path / "other"
            os.mkfifo(other, 0o600)
            config.write_text(config.read_text().replace("fifo", "other"))
            answer = exporter.ask("/-/reload", "POST")
            assert answer.status == 500
            assert "is a pipe without a writer" in answer.text
            assert SECRET_KEY not in exporter.log
    finally:
        writer.kill()
        writer.wait()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"pl4nted\xe2\x80\x8b\n", "contains a zero-width space (U+200B) at position 8"),
        (b"pl4\0nted\n", "contains a NUL (U+0000) at position 4"),
        (b"pl4\r\nnted\n", "has several lines; expected one line"),
        (b"pl4\xc2\xa0nted", "contains a non-breaking space (U+00A0) at position 4"),
    ],
)
def test_a_secret_that_can_never_be_one(data: bytes, problem: str, url: str, tmp_path: Path) -> None:
    """Each program reports an impossible secret before it queries CLN, without showing it."""
    file = tmp_path / "secret"
    file.write_bytes(data)
    for name, line in lines_with(str(file), url, tmp_path).items():
        outcome = shell(line)
        assert outcome.code == {"plugin": 3, "clntool": 2, "exporter": 1}[name], (name, outcome)
        assert problem in outcome.output
        assert "pl4" not in outcome.output


def test_quotes_around_a_secret(url: str, tmp_path: Path) -> None:
    """Quotes around a secret are reported by --config.check, and with CLN's refusal."""
    file = tmp_path / "secret"
    file.write_text(f'"{SECRET_KEY}"\n')
    quote = "the secret key begins or ends with a quote, which is taken as part of it"
    for name, line in lines_with(str(file), url, tmp_path).items():
        outcome = shell(line)
        assert outcome.code == {"plugin": 3, "clntool": 1, "exporter": 0}[name], (name, outcome)
        assert quote in outcome.output
        assert ("CLN refused the token" in outcome.output) == (name != "exporter")
        assert SECRET_KEY not in outcome.output
