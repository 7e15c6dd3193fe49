"""``clntool check config``."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from cln_monitor.config import config_schema

from .account import SECRET_KEY, Cln
from .inside import run


def test_good(cln: Cln) -> None:
    """A valid configuration is reported in one line, and as JSON."""
    outcome = run("check", "config", str(cln.config))
    assert (outcome.code, outcome.out, outcome.err) == (0, f"{cln.config}: ok, 1 account: acme\n", "")
    assert run("-o", "json", "check", "config", str(cln.config)).json == {
        "ok": True,
        "accounts": ["acme"],
        "eportals": [],
        "warnings": [],
        "problems": [],
    }


def test_bad(tmp_path: Path) -> None:
    """Each problem of a configuration is reported in a line."""
    file = tmp_path / "bad.yml"
    file.write_text(f"timeout: 1\nnope: {SECRET_KEY}\naccounts: [{{name: a, login: b, secret_key: {SECRET_KEY}}}]\n")
    outcome = run("check", "config", str(file))
    assert (outcome.code, outcome.out) == (1, "")
    assert len(outcome.err.splitlines()) == 2
    assert all(line.startswith(f"clntool: {file}: ") for line in outcome.err.splitlines())
    script = run("-o", "json", "check", "config", str(file))
    assert script.code == 1
    assert script.json["ok"] is False
    assert len(script.json["problems"]) == 2


def test_warnings(tmp_path: Path) -> None:
    """An unusual setting is a warning, not a failure."""
    file = tmp_path / "odd.yml"
    file.write_text(
        "tls_config: {insecure_skip_verify: true}\naccounts: [{name: a, login: b, secret_key: c}, "
        "{name: d, login: e, secret_key: f}]\n"
    )
    outcome = run("check", "config", str(file))
    assert (outcome.code, outcome.out) == (0, f"{file}: ok, 2 accounts: a, d\n")
    assert outcome.err.startswith(f"clntool: {file}: warning: tls_config.insecure_skip_verify: ")
    assert len(run("-o", "json", "check", "config", str(file)).json["warnings"]) == 1


def test_no_file(tmp_path: Path) -> None:
    """A missing file, or a directory, is reported in one line."""
    for file in (tmp_path / "none.yml", tmp_path):
        outcome = run("check", "config", str(file))
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)


def test_the_file_of_the_options(cln: Cln, tmp_path: Path) -> None:
    """Without FILE, the file of --config is checked, or the default one."""
    expected = f"{cln.config}: ok, 1 account: acme\n"
    assert run("-C", str(cln.config), "check", "config").out == expected
    assert run("check", "config", "-C", str(cln.config)).out == expected
    with mock.patch("cln_monitor.config.DEFAULT_CONFIG", tmp_path / "none.yml"):
        outcome = run("check", "config")
    assert (outcome.code, f"{tmp_path}/none.yml: cannot be read" in outcome.err) == (1, True)


def test_a_placeholder(tmp_path: Path) -> None:
    """The placeholder login of the shipped example is a warning."""
    file = tmp_path / "copied.yml"
    file.write_text("accounts: [{name: acme, login: acme_login, secret_key: x}]\n")
    file.chmod(0o600)
    outcome = run("check", "config", str(file))
    assert outcome.code == 0
    assert outcome.err == (
        f"clntool: {file}: warning: accounts[0].login: placeholder of an example; "
        "replace it with the login of the CLN account\n"
    )


def test_schema() -> None:
    """The JSON schema is printed in every output format, and no configuration is read."""
    outcome = run("check", "config", "--schema")
    assert (outcome.code, outcome.json, outcome.err) == (0, config_schema(), "")
    assert run("-o", "csv", "check", "config", "--schema").out == outcome.out
    refused = run("check", "config", "--schema", "some.yml")
    assert (refused.code, refused.out) == (2, "")
