"""The programs with an account in environment variables, as in a container."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cln_monitor.simulator import serve
from tests.helpers.running import CLN_EXPORTER, PATIENCE, running_exporter
from tests.helpers.small_cln import LOGIN, SECRET_KEY, small_cln, write_config

pytestmark = pytest.mark.processes

DEFAULT = Path("/etc/cln-monitor/cln-monitor.yml")
PLUGIN = (sys.executable, str(Path(__file__).parents[2] / "plugins" / "check_cln_kernelcare"))
CLNTOOL = (sys.executable, "-P", "-c", "from cln_monitor.cli.main import run; run()")


@pytest.fixture(autouse=True)
def _no_file() -> None:
    """Skip the test on a machine that has a configuration."""
    if DEFAULT.exists():
        pytest.skip(f"{DEFAULT} exists on this machine")


@pytest.fixture
def account() -> Iterator[dict[str, str]]:
    """Yield the variables of an account of a simulated CLN; the secret key ends with a newline."""
    with serve(small_cln()) as served:
        yield {"CLN_LOGIN": LOGIN, "CLN_SECRET_KEY": f"{SECRET_KEY}\n", "CLN_API_URL": served.url}


def run(environment: dict[str, str], *command: str) -> tuple[int, str]:
    """Return the exit code and the output of a command."""
    done = subprocess.run(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_exporter(account: dict[str, str], tmp_path: Path) -> None:
    """The exporter monitors the account of the variables, over a reload, and shows none of its secrets."""
    environment = account | {"CLN_ACCOUNT": "acme"}
    with running_exporter(tmp_path, "--web.enable-lifecycle", environment=environment) as exporter:
        exporter.wait_ready()
        assert exporter.ask("/-/reload", "POST").status == 200
        exporter.wait_ready()
        metrics, shown = exporter.metrics(), exporter.ask("/config").text
        assert 'cln_probe_success{api="' in metrics
        assert 'account="acme",probe="kernelcare"} 1' in metrics
        assert "login_env: CLN_LOGIN" in shown
        for text in (metrics, shown, exporter.log, exporter.ask("/").text):
            assert SECRET_KEY not in text
            assert LOGIN not in text


def test_the_other_programs(account: dict[str, str]) -> None:
    """The plugins and clntool query the same account at the same API root."""
    code, output = run(account, *PLUGIN)
    assert (code, "KernelCare servers" in output) == (1, True), output
    code, output = run(account, *CLNTOOL, "kernelcare", "keys", "list")
    assert code == 0, output


def test_the_check_of_the_variables(account: dict[str, str]) -> None:
    """--config.check judges the variables."""
    assert run(account, str(CLN_EXPORTER), "--config.check") == (0, "environment: ok, 1 account, 5 probes\n")
    placeholder = account | {"CLN_LOGIN": "acme_login", "CLN_API_URL": ""}
    code, output = run(placeholder, str(CLN_EXPORTER), "--config.check")
    assert code == 0
    assert "cln-exporter: environment: warning: CLN_LOGIN: placeholder of an example; " in output


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        (
            {},
            (
                f"{DEFAULT}: does not exist; create it, use --config.file, or set the environment variables "
                "CLN_LOGIN and CLN_SECRET_KEY"
            ),
        ),
        (
            {"CLN_LOGIN": "pl4nted"},
            "environment: CLN_SECRET_KEY: is not set; set both CLN_LOGIN and CLN_SECRET_KEY, or use --config.file",
        ),
        (
            {"CLN_LOGIN": "", "CLN_SECRET_KEY": "pl4nted"},
            "environment: CLN_LOGIN: is empty; set both CLN_LOGIN and CLN_SECRET_KEY, or use --config.file",
        ),
        (
            {"CLN_LOGIN": "a", "CLN_SECRET_KEY": "pl4\nnted"},
            "environment: CLN_SECRET_KEY: has several lines; expected one line",
        ),
    ],
)
@pytest.mark.parametrize("flag", ["--config.check", "--web.listen-address=127.0.0.1:0"])
def test_no_account(variables: dict[str, str], line: str, flag: str) -> None:
    """Without a complete account the exporter does not start, and one line says why."""
    assert run(variables, str(CLN_EXPORTER), flag) == (1, f"cln-exporter: {line}\n")


def test_a_config_map(tmp_path: Path) -> None:
    """A configuration and a secret that are replaced by the links of a volume are read again at a reload."""
    with serve(small_cln()) as served:
        template = write_config(tmp_path, served.url).read_text()
        volume = tmp_path / "volume"
        volume.mkdir()

        def publish(version: str, name: str) -> None:
            (volume / version).mkdir()
            (volume / version / "cln-monitor.yml").write_text(template.replace("name: acme", f"name: {name}"))
            (volume / version / "acme.secret").write_text(f"{SECRET_KEY}\n")
            (volume / "..data_tmp").symlink_to(version)
            (volume / "..data_tmp").replace(volume / "..data")

        publish("..one", "first")
        for file in ("cln-monitor.yml", "acme.secret"):
            (volume / file).symlink_to(Path("..data", file))
        config = volume / "cln-monitor.yml"
        with running_exporter(tmp_path, f"--config.file={config}", "--web.enable-lifecycle") as exporter:
            exporter.wait_ready()
            assert 'account="first"' in exporter.metrics()
            publish("..two", "second")
            assert exporter.ask("/-/reload", "POST").status == 200
            exporter.wait_ready()
            metrics = exporter.metrics()
            assert 'account="second",probe="kernelcare"} 1' in metrics
            assert 'account="first"' not in metrics
