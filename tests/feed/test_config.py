"""The configuration of the feed: what is accepted, and the place, reason and remedy of each problem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cln_monitor.checks.states import State
from cln_monitor.config import ConfigError
from cln_monitor.feed.config import load_config
from tests.helpers.certificates import Authority

Write = Callable[..., Path]
STATUS = {"host": "cln", "service": "status", "check": "check_cln_status"}
KERNELCARE = {"host": "cln", "service": "kernelcare", "check": "check_cln_kernelcare"}


def problems_of(file: Path) -> list[str]:
    """Return the problems of a configuration, without the name of the file before each."""
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{file}: ") for line in lines)
    return [line.removeprefix(f"{file}: ") for line in lines]


def test_defaults(write: Write, tmp_path: Path) -> None:
    """The interval is a minute, and results are valid for three of them."""
    config = load_config(write())
    assert config.interval == 60
    assert config.ttl == 180
    assert list(config.sinks) == ["checkmk"]
    assert config.exporter.url == "http://exporter.example.net:10099"
    (service,) = config.services
    assert (service.host, service.service, service.plugin.name) == ("cln", "status", "check_cln_status")
    assert service.options.unreachable_state is State.UNKNOWN
    assert config.file == tmp_path / "cln-feed.yml"


def test_options_are_those_of_the_plugin(write: Write) -> None:
    """Options are read as the plugin reads them: numbers, units, lists and switches."""
    options = {"account": "acme", "warning": "12h", "limit_critical": 95, "key": "WsTs-8c7994d7", "verbose": 2}
    (service,) = load_config(write(services=[{**KERNELCARE, "options": options}])).services
    assert service.options.account == "acme"
    assert str(service.options.warning) == "43200"
    assert str(service.options.limit_critical) == "95"
    assert service.options.key == ["WsTs-8c7994d7"]
    assert service.options.verbose == 2


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"exporter": ...}, "exporter: is required; set the URL of cln-exporter, such as http://127.0.0.1:10099"),
        ({"exporter": "127.0.0.1:10099"}, "exporter: expected a URL such as http://127.0.0.1:10099"),
        ({"exporter": {"url": "http://x/?a"}}, "exporter.url: expected a URL such as http://127.0.0.1:10099"),
        ({"exporter": 5}, "exporter: expected a mapping of names to values, got a number"),
        ({"exporter": {"url": "http://x", "cafile": "x"}}, "exporter.cafile: unknown key; did you mean ca_file?"),
        (
            {"exporter": {"url": "http://u@x", "username": "u", "password_file": "p"}},
            "exporter.username: the URL contains a user; use only one of them",
        ),
        ({"exporter": {"url": "http://x", "username": "u"}}, "exporter.username: needs password_file"),
        (
            {"exporter": {"url": "http://x", "username": "a:b", "password_file": "p"}},
            "exporter.username: expected a name without a colon or control characters",
        ),
        (
            {"exporter": {"url": "http://x", "username": "", "password_file": "p"}},
            "exporter.username: expected a name without a colon or control characters",
        ),
        ({"exporter": {"url": "https://x", "cert_file": "c"}}, "exporter.cert_file: needs key_file"),
        ({"exporter": {"url": "https://x", "ca_file": ""}}, "exporter.ca_file: expected a file name"),
        (
            {"exporter": {"url": "https://x", "ca_file": "%d/ca"}},
            (
                "exporter.ca_file: needs the environment variable CREDENTIALS_DIRECTORY, which systemd sets for "
                "LoadCredential="
            ),
        ),
        (
            {"sinks": {"checkmk": {"spool_directory": "/nonexistent"}}},
            "sinks.checkmk.spool_directory: /nonexistent is not a directory: is the Checkmk agent installed?",
        ),
        ({"exporter": {"url": "http://x", "ca_file": "c"}}, "exporter.ca_file: needs an https URL"),
        ({"interval": "1s"}, "interval: expected 5s or more"),
        (
            {"interval": 60},
            "interval: invalid duration '60': use for example 90s, 15m, 1h30m; did you mean 60s or 60m?",
        ),
        ({"intervall": "1m"}, "intervall: unknown key; did you mean interval?"),
        (
            {"sinks": ...},
            "sinks: at least one is required, a mapping of icinga2, nagios, nrdp, checkmk to its settings",
        ),
        ({"sinks": {"icinga": {}}}, "sinks.icinga: unknown key; did you mean icinga2?"),
        ({"sinks": {"checkmk": {}}}, "sinks.checkmk.spool_directory: is required"),
        ({"services": []}, "services: at least one is required, a list of mappings with host, service and check"),
        ({"services": [5]}, "services[0]: expected a mapping of names to values, got a number"),
        ({"services": [{"host": "a", "service": "b"}]}, "services[0].check: is required"),
        (
            {"services": [{**STATUS, "check": "check_cln_kernelcar"}]},
            "services[0].check: unknown check; did you mean check_cln_kernelcare?",
        ),
        (
            {"services": [STATUS, {**KERNELCARE, "service": "status"}]},
            "services[1].service: duplicate service status of host cln; services[0] has the same name",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"warn": "1d"}}]},
            "services[0].options.warn: unknown key; did you mean warning?",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"limit-warning": 90}}]},
            "services[0].options.limit-warning: unknown key; did you mean limit_warning?",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"warning": "soon"}}]},
            "services[0].options.warning: invalid range of ages 'soon': use for example 1d, 12h, or @1h:2h",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"config": "x"}}]},
            "services[0].options.config: cannot be set: cln-feed reads the exporter of the configuration",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"account": True}}]},
            "services[0].options.account: expected a text or a number; put it in quotes",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"key": [None]}}]},
            "services[0].options.key: expected a text or a number, or a list of them; put it in quotes",
        ),
        (
            {"services": [{**KERNELCARE, "options": {"verbose": "yes"}}]},
            "services[0].options.verbose: expected true, or a number from 0 to 3",
        ),
        (
            {"services": [{**KERNELCARE, "options": "x"}]},
            "services[0].options: expected a mapping of options to values, such as {account: acme}",
        ),
        ({"services": [{**STATUS, "host": "a!b"}]}, "services[0].host: expected printable characters without ; and !"),
        ({"services": [{**STATUS, "service": "a;b"}]}, "services[0].service: expected printable characters without ;"),
        ({"services": [{**STATUS, "service": "a\nb"}]}, "services[0].service: expected printable characters without ;"),
        ({"services": [{**STATUS, "host": " "}]}, "services[0].host: expected a name, without spaces around it"),
        ({"services": [{**KERNELCARE, "per": "keys"}]}, "services[0].per: expected key, got a string"),
        (
            {"services": [{**KERNELCARE, "per": "key"}]},
            "services[0].service: needs {key} in it, or in host: each license key has a service of its own",
        ),
        ({"services": [{**KERNELCARE, "service": "{key}"}]}, "services[0].service: {key} in a name needs per: key"),
        (
            {"services": [{**STATUS, "service": "{key}", "per": "key"}]},
            "services[0].per: check_cln_status has no option key",
        ),
        (
            {"services": [{**KERNELCARE, "host": "{key}", "per": "key", "options": {"key": "x"}}]},
            "services[0].options.key: cannot be combined with per: key",
        ),
    ],
)
def test_problems(write: Write, fields: dict[str, Any], problem: str) -> None:
    """Each problem is reported with its place, the reason, and what to do."""
    assert problems_of(write(**fields)) == [problem]


def test_all_problems_at_once(write: Write) -> None:
    """Problems of different parts are all reported."""
    services = [{**STATUS, "check": "x"}, {**KERNELCARE, "options": {"warning": "x"}}]
    assert len(problems_of(write(interval="1s", sinks={}, services=services))) == 4


def test_the_plugin_that_writes_is_no_check(write: Write) -> None:
    """The registration of a monitoring key changes something at CLN, and cannot be fed."""
    (problem,) = problems_of(write(services=[{**STATUS, "check": "register_cln_monitoring_key"}]))
    assert problem.startswith("services[0].check: unknown check; expected one of: check_cln_status, ")


@pytest.mark.parametrize("field", ["password_file", "key_file"])
def test_secrets_in_world_readable_files(write: Write, tmp_path: Path, field: str) -> None:
    """A secret that every user can read is refused as in the configuration of the exporter."""
    tmp_path.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    secret.chmod(0o644)
    other = {"password_file": {"username": "u"}, "key_file": {"cert_file": "x"}}[field]
    (problem,) = problems_of(write(exporter={"url": "https://x", field: "secret", **other}))
    assert problem.startswith(f"exporter.{field}: {secret} is world-readable; run chmod 600 on it")


def test_secrets_in_a_world_readable_configuration(write: Write, tmp_path: Path) -> None:
    """A password in the URL and a license key in full are secrets of the configuration itself; a mask is not."""
    tmp_path.chmod(0o755)
    keys = [{**KERNELCARE, "options": {"key": ["WsTs-8c7994d7", "Pl4ntedLicenseKey"]}}]
    file = write(exporter="http://u:pw@x", services=keys)
    load_config(file)
    file.chmod(0o644)
    problems = problems_of(file)
    assert [problem.partition(": ")[0] for problem in problems] == ["exporter", "services[0].options.key"]
    assert not any("Pl4nted" in problem or "pw@" in problem for problem in problems)


def test_files_that_cannot_be_used(write: Write, tmp_path: Path) -> None:
    """A missing or invalid file is reported when the configuration is loaded; relative names start at its directory."""
    exporter = {"url": "https://x", "username": "u", "password_file": "pw", "ca_file": "ca"}
    assert problems_of(write(exporter=exporter)) == [
        f"exporter.ca_file: {tmp_path}/ca cannot be read: No such file or directory",
        f"exporter.password_file: {tmp_path}/pw cannot be read: No such file or directory",
    ]
    (tmp_path / "ca").write_text("no PEM")
    (tmp_path / "pw").write_text("")
    (tmp_path / "pw").chmod(0o600)
    problems = problems_of(write(exporter=exporter))
    assert problems[0].startswith(f"exporter.ca_file: {tmp_path}/ca contains no usable certificate (")
    assert problems[1] == f"exporter.password_file: {tmp_path}/pw is empty"


def test_tls_and_password(write: Write, tmp_path: Path) -> None:
    """With files that can be used, the connection has a TLS context and a password that is read from its file."""
    authority = Authority(tmp_path)
    certificate, key = authority.issue("feed")
    key.chmod(0o600)
    (tmp_path / "pw").write_text("s3cret\n")
    (tmp_path / "pw").chmod(0o600)
    exporter = {"url": "https://x", "ca_file": str(authority.file), "username": "u", "password_file": "pw"}
    exporter |= {"cert_file": certificate.name, "key_file": key.name}
    config = load_config(write(exporter=exporter))
    assert config.exporter_tls is not None
    assert config.exporter_password is not None
    assert config.exporter_password().reveal() == "s3cret"


@pytest.mark.parametrize("text", ["exporter: [", "- a", "exporter: a\nexporter: b\n", ""])
def test_no_yaml(tmp_path: Path, text: str) -> None:
    """A file that is not a mapping in YAML is refused."""
    file = tmp_path / "cln-feed.yml"
    file.write_text(text)
    assert problems_of(file)


def test_no_file(tmp_path: Path) -> None:
    """A missing file is reported with what to do."""
    file = tmp_path / "none.yml"
    assert problems_of(file) == ["cannot be read: No such file or directory; create it, or use another file"]
