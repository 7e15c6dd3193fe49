"""A real Prometheus scrapes with TLS, password and certificate, and promtool agrees on the web configuration files."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from cln_monitor.exporter.web.config import load_web_config
from tests.exporter.web.web_configs import CASES, HASH, PASSWORD, TLS, write_files
from tests.helpers import promtool
from tests.helpers.certificates import Authority
from tests.helpers.prometheus import Prometheus
from tests.helpers.running import Exporter, ask, running_exporter, wait_until

pytestmark = pytest.mark.needs_server("prometheus")

NEW_PASSWORD = "another pl4nted password"
USERS = f"basic_auth_users: {{prometheus: '{HASH}'}}\n"
BOTH = f"{TLS}, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem}}\n{USERS}"


def test_promtool_judges_the_same(tmp_path: Path) -> None:
    """promtool and the exporter agree on each file, except where the table explains it."""
    write_files(tmp_path)

    files = {f"{name}.yml": case for name, case in CASES.items()}
    for name, case in files.items():
        (tmp_path / name).write_text(case.text)
    _, output = promtool.run("check", "web-config", *files, directory=tmp_path)
    judged = dict(re.findall(r"^(.+\.yml) (SUCCESS|FAILED)\b", output, re.MULTILINE))
    assert judged == {name: "SUCCESS" if case.is_good_to_promtool else "FAILED" for name, case in files.items()}


def test_promtool_likes_the_example(tmp_path: Path) -> None:
    """promtool accepts the shipped example, with and without TLS."""
    example = Path(__file__).parents[2] / "systemd" / "web-config.yml"
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    certificate.rename(tmp_path / "tls.crt")
    key.rename(tmp_path / "tls.key")
    (tmp_path / "prometheus-ca.crt").write_text((tmp_path / "ca.pem").read_text())
    section, rest = example.read_text().split("\n# User")
    with_tls = re.sub(r"(?m)^# (?=(tls_server_config:|  \w))", "", section) + f"\n# User{rest}"
    for text in (example.read_text(), with_tls):
        (tmp_path / "web.yml").write_text(text)
        code, output = promtool.run("check", "web-config", "web.yml", directory=tmp_path)
        assert code == 0, output
        load_web_config(tmp_path / "web.yml")


@dataclass
class Lab:
    """An exporter with a password, another that also requires a certificate, and the Prometheus that scrapes both."""

    folder: Path
    authority: Authority
    by_password: Exporter
    by_both: Exporter
    prometheus: Prometheus

    def errors(self) -> Mapping[str, str]:
        """Return the error of the last scrape of each job."""
        answer = ask(f"{self.prometheus.url}/api/v1/targets?state=active")
        return {
            target["scrapePool"]: target["lastError"] for target in json.loads(answer.text)["data"]["activeTargets"]
        }

    def up(self) -> Mapping[str, float]:
        """Return the jobs that are up, except the one without TLS."""
        return {labels["job"]: value for labels, value in self.prometheus.query('up{job!="cln"}')}


def _job(
    name: str, address: str, folder: Path, password: str = PASSWORD, certificate: str | None = None
) -> dict[str, Any]:
    tls = {"ca_file": str(folder / "ca.pem")}
    if certificate is not None:
        tls |= {"cert_file": str(folder / f"{certificate}.pem"), "key_file": str(folder / f"{certificate}.key")}
    return {
        "job_name": name,
        "scheme": "https",
        "tls_config": tls,
        "basic_auth": {"username": "prometheus", "password": password},
        "static_configs": [{"targets": [address]}],
    }


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield one lab for all tests."""
    folder = tmp_path_factory.mktemp("lab")
    authority = write_files(folder)
    other = folder / "other"
    other.mkdir()
    write_files(other)
    (folder / "password.yml").write_text(TLS + "}\n" + USERS)
    (folder / "both.yml").write_text(BOTH)
    with contextlib.ExitStack() as stack:

        def start(name: str) -> Exporter:
            (folder / name).mkdir()
            file = f"--web.config.file={folder / name}.yml"
            return stack.enter_context(running_exporter(folder / name, "--demo", file))

        by_password, by_both = start("password"), start("both")
        jobs = [
            _job("password", by_password.address, folder),
            _job("wrong-password", by_password.address, folder, "wrong"),
            _job("certificate", by_both.address, folder, certificate="client"),
            _job("no-certificate", by_both.address, folder),
            _job("other-certificate", by_both.address, folder, certificate="other/client"),
            _job("new-password", by_password.address, folder, NEW_PASSWORD),
        ]
        prometheus = Prometheus(folder, [by_password.address], jobs=jobs)
        stack.callback(prometheus.stop)
        wait_until(lambda: len(prometheus.query("up")) == len(jobs) + 1, "the first scrape of each")
        yield Lab(folder, authority, by_password, by_both, prometheus)


def test_password_and_certificate_are_required(lab: Lab) -> None:
    """Only scrapes with the password, and the certificate if required, succeed."""
    expected = {
        "password": 1,
        "wrong-password": 0,
        "certificate": 1,
        "no-certificate": 0,
        "other-certificate": 0,
        "new-password": 0,
    }
    wait_until(lambda: lab.up() == expected, f"these to be up: {expected}")
    errors = lab.errors()
    assert (errors["password"], errors["certificate"]) == ("", "")
    assert errors["wrong-password"] == errors["new-password"] == "server returned HTTP status 401 Unauthorized"
    for job in ("no-certificate", "other-certificate"):
        # Which of them depends on what Go notices first.
        assert re.search("remote error: tls: |connection reset|EOF|server closed idle connection", errors[job])
    assert errors["cln"]  # in the clear there is no answer
    lab.prometheus.wait_for('count(cln_kernelcare_key_info{job="certificate"}) > bool 0', [1.0])


def test_a_scrape_keeps_its_connection(lab: Lab) -> None:
    """Scrapes reuse the connection, with one password check and one TLS handshake."""
    wait_until(lambda: lab.up()["certificate"] == 1, "the scrape by certificate")
    before = _sockets(lab.by_both)
    lab.prometheus.wait_for('count_over_time(up{job="certificate"}[1m]) > bool 5', [1.0])
    assert _sockets(lab.by_both) & before


def _sockets(exporter: Exporter) -> set[str]:
    links = Path(f"/proc/{exporter.process.pid}/fd").iterdir()
    return {str(link.readlink()) for link in links if str(link.readlink()).startswith("socket:")}


def test_a_password_is_changed_while_it_runs(lab: Lab) -> None:
    """A new password applies from the next scrape; an invalid file is ignored and logged."""
    file = lab.folder / "password.yml"
    tls = ssl.create_default_context(cafile=lab.authority.file)
    successful = 'cln_exporter_web_config_last_reload_successful{job=~"password|new-password"}'
    lab.prometheus.wait_for(successful, [1])
    file.write_text(TLS + "}\nbasic_auth_users: {prometheus: pl4nted}\n")
    lab.prometheus.wait_for(successful, [0])
    refused = "basic_auth_users.prometheus: not a bcrypt hash"
    wait_until(lambda: refused in lab.by_password.log, "the error to be logged")
    hashed = bcrypt.hashpw(NEW_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    file.write_text(f"{TLS}}}\nbasic_auth_users: {{prometheus: '{hashed}'}}\n")
    wait_until(
        lambda: (lab.up()["password"], lab.up()["new-password"]) == (0, 1), "the new password to be the good one"
    )
    lab.prometheus.wait_for(successful, [1])
    for secret in (PASSWORD, NEW_PASSWORD, HASH, hashed, "pl4nted"):
        assert secret not in lab.by_password.log
    assert ask(f"https://{lab.by_password.address}/", tls=tls).status == 401


def test_a_certificate_is_renewed_while_it_runs(lab: Lab) -> None:
    """New connections use a renewed certificate, without failed scrapes."""

    def serial() -> int:
        host, _, port = lab.by_both.address.rpartition(":")
        pem = ssl.get_server_certificate((host, int(port)))
        return hash(pem)

    lab.prometheus.wait_for('up{job="certificate"}', [1])
    before = serial()
    lab.authority.issue("server")
    wait_until(lambda: serial() != before, "the new certificate")
    lab.prometheus.wait_for('min_over_time(up{job="certificate"}[10s])', [1])
    assert lab.errors()["certificate"] == ""
